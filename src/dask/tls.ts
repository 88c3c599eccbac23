import { readFileSync } from 'node:fs'
import { type ConnectionOptions, createSecureContext } from 'node:tls'
import { messageOf, RunnerError } from '../errors.ts'
import type { TlsFiles } from '../util/tls-files.ts'

/**
 * Options for Node's TLS. As in Dask, the authority decides and host names are not checked.
 *
 * @throws RunnerError ERR_ENVIRONMENT where a file cannot be read, or holds something else.
 */
export function tlsOptions({ caFile, cert, key = cert }: TlsFiles): ConnectionOptions {
  const files = { ca: read(caFile), cert: read(cert), key: read(key) }
  try {
    return { secureContext: createSecureContext(files), checkServerIdentity: () => undefined }
  } catch (cause) {
    const why = cause instanceof Error && 'reason' in cause ? String(cause.reason) : messageOf(cause)
    throw new RunnerError(`Cannot use TLS: "${caFile}", "${cert}" and "${key}" do not go together (${why})`, {
      code: 'ERR_ENVIRONMENT',
      cause,
    })
  }
}

function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new RunnerError(`Cannot use TLS: ${messageOf(cause)}`, { code: 'ERR_ENVIRONMENT', cause })
  }
}
