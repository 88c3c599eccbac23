import { RunnerError } from '../errors.ts'
import type { Duration } from '../util/duration.ts'
import { bounded, type WaitOptions } from './bounded.ts'
import { checkOptions, waitNames } from './check-options.ts'
import { type HelperAnswer, type HelperConnection, type HelperOrder, RequestError } from './connection.ts'

/** What is asked of the helper process. */
export interface Question {
  readonly order: HelperOrder
  readonly buffers?: readonly Uint8Array[]
  /** Continues the sentence "Cannot". */
  readonly what: string
  /** Where the options say nothing else. @default none */
  readonly timeout?: Duration
}

/**
 * Asks the helper process, within the time and under the signal of `options`.
 *
 * @throws RunnerError ERR_UNAVAILABLE or ERR_TIMED_OUT; the reason of the signal.
 */
export async function ask(
  connection: HelperConnection,
  { order, buffers, what, timeout }: Question,
  options: WaitOptions,
): Promise<HelperAnswer> {
  checkOptions(options, waitNames, what)
  const wait = { ...options, timeout: options.timeout ?? timeout }
  const abandon = new AbortController()
  try {
    return await bounded(connection.request(order, abandon.signal, buffers), wait, () => what)
  } catch (error) {
    abandon.abort(error)
    throw asRunnerError(error, what)
  }
}

/** The error of an order that failed, in the words of who gave it. */
export function asRunnerError(error: unknown, what: string, advice = ''): unknown {
  if (!(error instanceof RequestError)) return error
  const { type, text } = error.failure
  const late = type.endsWith('TimeoutError')
  return new RunnerError(`Cannot ${what}: ${text}${advice}`, {
    code: late ? 'ERR_TIMED_OUT' : 'ERR_UNAVAILABLE',
    // What our own Python has said, it has said whole.
    cause: type.endsWith('.Refused') ? undefined : error,
  })
}
