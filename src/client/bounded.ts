import { setMaxListeners } from 'node:events'
import { RunnerError } from '../errors.ts'
import { type Duration, milliseconds, formatDuration, longestTimer } from '../util/duration.ts'
import { deadline } from '../util/wait.ts'

/** How long to wait, and what else ends a wait. */
export interface WaitOptions {
  /** Ends the wait, not what is waited for. */
  readonly signal?: AbortSignal | undefined
  /** @default none: until there is a result, or none can come any more */
  readonly timeout?: Duration | undefined
}

/** A wait of which all is settled but for what: as {@link bounded}. */
export type Wait = <T>(promise: Promise<T>, what: () => string) => Promise<T>

/**
 * The outcome of `promise`, within the time and under the signal of `options`.
 *
 * @param what continues the sentence "Cannot"
 */
export async function bounded<T>(promise: Promise<T>, options: WaitOptions, what: () => string): Promise<T> {
  const { signal, timeout } = options
  if (signal === undefined && timeout === undefined) return await promise
  promise.catch(() => undefined)
  // As many wait under one signal as there are futures: no leak of which to warn.
  if (signal !== undefined) setMaxListeners(0, signal)
  const ms = timeout === undefined ? longestTimer : Math.min(milliseconds(timeout, 'timeout'), longestTimer)
  const late = (): Error => new RunnerError(`Cannot ${what()} after ${formatDuration(ms)}`, { code: 'ERR_TIMED_OUT' })
  return await deadline(promise, ms, late, signal)
}
