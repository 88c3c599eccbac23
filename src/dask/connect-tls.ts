import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { readPem, reasonOf, tlsError } from '../util/read-pem.ts'
import type { TlsFiles } from '../util/tls-files.ts'

/** Where somebody listens. */
interface Place {
  readonly host: string
  readonly port: number
}

/**
 * Connects with TLS. As in Dask, the authority decides and host names are not checked.
 *
 * @throws RunnerError ERR_ENVIRONMENT where a file cannot be read in time, or holds something else.
 */
export async function connectTls({ host, port }: Place, files: TlsFiles): Promise<TLSSocket> {
  const secureContext = await contextOf(files)
  return connect({ host, port, secureContext, checkServerIdentity: () => undefined })
}

async function contextOf({ caFile, cert, key = cert }: TlsFiles): Promise<SecureContext> {
  const [authority, own, ownKey] = await Promise.all([
    readPem(caFile, 'authority'),
    readPem(cert, 'certificate'),
    readPem(key, 'key'),
  ])
  try {
    return createSecureContext({ ca: authority.text, cert: own.text, key: ownKey.text })
  } catch (cause) {
    const what = `"${caFile}", "${cert}" and "${key}" do not go together (${reasonOf(cause)})`
    throw tlsError(what, undefined, cause)
  }
}
