import { type ErrorCode, RunnerError } from '../errors.ts'

/** What went wrong between us and a Dask peer. */
export type DaskErrorReason =
  /** Nothing listens at the address. */
  | 'refused'
  /** No connection came about. */
  | 'unreachable'
  /** What listens there does not speak Dask's protocol, or not in a way that can be used. */
  | 'not-dask'
  /** It accepted the connection, or the call, and said nothing in time: busy, or frozen. */
  | 'silent'
  /** The connection closed in the middle. */
  | 'closed'
  /** TLS could not be agreed on: certificates are missing, or are not accepted. */
  | 'tls'
  /** The peer answered with an error. */
  | 'call-failed'

/** Thrown where a Dask peer cannot be reached, understood, or does not do what it is asked for. */
export class DaskError extends RunnerError {
  override readonly name = 'DaskError'
  readonly reason: DaskErrorReason
  /** The peer, such as `tcp://10.0.0.1:8786`. */
  readonly address: string

  constructor(message: string, options: { reason: DaskErrorReason; address: string; cause?: unknown }) {
    const code: ErrorCode = options.reason === 'silent' ? 'ERR_TIMED_OUT' : 'ERR_UNAVAILABLE'
    super(message, { code, cause: options.cause })
    this.reason = options.reason
    this.address = options.address
  }
}
