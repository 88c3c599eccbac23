import { deferred } from './deferred.ts'

/**
 * Resolves after `ms` milliseconds.
 *
 * @throws the signal's reason as soon as the signal aborts.
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const over = deferred<undefined>()
  const timer = setTimeout(over.resolve, ms, undefined)
  try {
    await (signal === undefined ? over.promise : untilAborted(over.promise, signal))
  } finally {
    clearTimeout(timer)
  }
}

/** Whether `promise` settled within `ms` milliseconds; it is left alone either way. */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const over = deferred<false>()
  const timer = setTimeout(over.resolve, ms, false)
  const settled = promise.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([settled, over.promise])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The outcome of `promise`, or `late()` thrown after `ms` milliseconds.
 *
 * @throws what `late` returns, or the reason of `signal`, or what `promise` rejects with.
 */
export async function deadline<T>(
  promise: Promise<T>,
  ms: number,
  late: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted()
  const over = deferred<never>()
  const timer = setTimeout(() => {
    over.reject(late())
  }, ms)
  const first = Promise.race([promise, over.promise])
  try {
    return await (signal === undefined ? first : untilAborted(first, signal))
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The outcome of `promise`, unless `signal` aborts before.
 *
 * @throws the signal's reason, or what `promise` rejects with.
 */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = deferred<never>()
  const onAbort = (): void => {
    aborted.reject(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    // It is waited for in any case: what it rejects with later is nobody's defect.
    return await Promise.race([aborted.promise, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Resolves after `ms` milliseconds, and does not keep the process alive for it. */
export async function sleepUnref(ms: number): Promise<void> {
  const over = deferred<undefined>()
  setTimeout(over.resolve, ms, undefined).unref()
  await over.promise
}
