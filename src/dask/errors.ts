import { type ErrorCode, RunnerError } from '../errors.ts'
import { printable } from '../util/printable.ts'

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
  override readonly name: string = 'DaskError'
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

/** Thrown where the peer answers a call with an exception of its own. */
export class DaskCallError extends DaskError {
  override readonly name = 'DaskCallError'
  /** The call, such as `retire_workers`. */
  readonly call: string
  /** Dask's text of the exception. */
  readonly exceptionText: string
  /** Dask's text of the traceback; empty where it sent none. */
  readonly tracebackText: string

  constructor(call: string, options: { address: string; exceptionText: string; tracebackText: string }) {
    super(`Cannot ${call} at ${options.address}: it answers ${printable(options.exceptionText)}`, {
      reason: 'call-failed',
      address: options.address,
    })
    this.call = call
    this.exceptionText = options.exceptionText
    this.tracebackText = options.tracebackText
  }
}
