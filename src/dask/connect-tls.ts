import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { readPem, reasonOf, tlsError } from '../util/read-pem.ts'
import type { TlsFiles } from '../util/tls-files.ts'

/** Where somebody listens, and how long a file for TLS may take to be read, in milliseconds. */
interface Place {
  readonly host: string
  readonly port: number
  readonly timeout: number
}

/**
 * Connects with TLS. As in Dask, the authority decides and host names are not checked.
 *
 * @throws RunnerError ERR_ENVIRONMENT where a file cannot be read in time, or holds something else.
 */
export async function connectTls({ host, port, timeout }: Place, files: TlsFiles): Promise<TLSSocket> {
  const secureContext = await contextOf(files, timeout)
  return connect({ host, port, secureContext, checkServerIdentity: () => undefined })
}

async function contextOf({ caFile, cert, key = cert }: TlsFiles, timeout: number): Promise<SecureContext> {
  const [authority, own, ownKey] = await Promise.all([
    readPem(caFile, 'authority', timeout),
    readPem(cert, 'certificate', timeout),
    readPem(key, 'key', timeout),
  ])
  try {
    return createSecureContext({ ca: authority.text, cert: own.text, key: ownKey.text })
  } catch (cause) {
    const what = `"${caFile}", "${cert}" and "${key}" do not go together (${reasonOf(cause)})`
    throw tlsError(what, undefined, cause)
  }
}
