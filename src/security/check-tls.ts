import type { TlsFiles, TlsMaterial } from '../util/tls-files.ts'
import { findTlsProblems, type TlsUse } from './tls-problems.ts'
import { readPem, reasonOf, formatPart, tlsError } from '../util/read-pem.ts'

/** How to look at the files. */
export interface CheckTlsOptions {
  readonly use: TlsUse
  /** Milliseconds since 1970. @default Date.now() */
  readonly now?: number
}

/**
 * Reads certificate, key and authority, and looks at them before anything relies on them: Dask would try again and
 * again, and say of none of them what is wrong.
 *
 * @returns warnings
 * @throws RunnerError ERR_ENVIRONMENT that names the file, what is wrong with it, and what to do.
 */
export async function checkTlsFiles(
  files: TlsFiles,
  { use, now = Date.now() }: CheckTlsOptions,
): Promise<readonly string[]> {
  const { caFile, cert: certFile, key: keyFile = certFile } = files
  // One after the other: the first that is wrong is the one that is told.
  const ca = await readPem(caFile, 'authority')
  const cert = await readPem(certFile, 'certificate')
  const key = keyFile === certFile ? cert : await readPem(keyFile, 'key')
  const warnings = findTlsProblems({ files, ca, cert, key, use, now })
  // A client's certificate is not made for the other end of this.
  if (use === 'both') await checkHandshake(files, { ca: ca.text, cert: cert.text, key: key.text })
  return warnings
}

async function checkHandshake({ caFile, cert }: TlsFiles, texts: TlsMaterial): Promise<void> {
  const { tryHandshake } = await import('./try-handshake.ts')
  try {
    await tryHandshake(texts)
  } catch (cause) {
    const what = `${formatPart('certificate', cert)} is not accepted with ${formatPart('authority', caFile)}`
    throw tlsError(`${what} (${reasonOf(cause)})`, undefined, cause)
  }
}
