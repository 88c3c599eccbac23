import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect, createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { messageOf, RunnerError } from '../errors.ts'
import { formatDuration } from '../util/duration.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import type { TlsFiles } from '../util/tls-files.ts'

/** Where somebody listens, and how long the files for TLS may take to be read, in milliseconds. */
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
  const { caFile, cert, key = cert } = files
  const late = (): Error =>
    cannotUse(`the filesystem of "${caFile}", "${cert}" or "${key}" has not answered for ${formatDuration(timeout)}`)
  const [ca, ...own] = await withIoTimeout(Promise.all([caFile, cert, key].map(read)), timeout, late)
  const secureContext = contextOf({ caFile, cert, key }, { ca, cert: own[0], key: own[1] })
  return connect({ host, port, secureContext, checkServerIdentity: () => undefined })
}

function contextOf({ caFile, cert, key }: Required<TlsFiles>, contents: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(contents)
  } catch (cause) {
    const why = cause instanceof Error && 'reason' in cause ? String(cause.reason) : messageOf(cause)
    throw cannotUse(`"${caFile}", "${cert}" and "${key}" do not go together (${why})`, cause)
  }
}

async function read(path: string): Promise<Buffer> {
  try {
    // Without O_NONBLOCK a named pipe would hold us until somebody writes into it.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      if (!(await file.stat()).isFile()) throw new Error(`"${path}" is no regular file`)
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw cannotUse(messageOf(cause), cause)
  }
}

function cannotUse(why: string, cause?: unknown): RunnerError {
  return new RunnerError(`Cannot use TLS: ${why}`, { code: 'ERR_ENVIRONMENT', cause })
}
