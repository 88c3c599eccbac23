import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { messageOf, RunnerError } from '../errors.ts'
import type { TlsFiles } from '../util/tls-files.ts'

/** Where somebody listens. */
interface Place {
  readonly host: string
  readonly port: number
}

/**
 * Connects with TLS. As in Dask, the authority decides and host names are not checked.
 *
 * @throws RunnerError ERR_ENVIRONMENT where a file cannot be read, or holds something else.
 */
export function connectTls(place: Place, { caFile, cert, key = cert }: TlsFiles): TLSSocket {
  return connect({ ...place, secureContext: contextOf({ caFile, cert, key }), checkServerIdentity: () => undefined })
}

function contextOf({ caFile, cert, key }: Required<TlsFiles>): SecureContext {
  const files = { ca: read(caFile), cert: read(cert), key: read(key) }
  try {
    return createSecureContext(files)
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
    // Without O_NONBLOCK a named pipe would hold us until somebody writes into it.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      if (!fstatSync(file).isFile()) throw new Error(`"${path}" is no regular file`)
      return readFileSync(file)
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    throw new RunnerError(`Cannot use TLS: ${messageOf(cause)}`, { code: 'ERR_ENVIRONMENT', cause })
  }
}
