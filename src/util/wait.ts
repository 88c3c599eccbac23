import { setTimeout as sleepFor } from 'node:timers/promises'

/**
 * Resolves after `ms` milliseconds.
 *
 * @throws the signal's reason as soon as the signal aborts.
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleepFor(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

/** Whether `promise` settled within `ms` milliseconds; it is left alone either way. */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController()
  const settled = promise.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([
      settled,
      sleep(ms, timer.signal).then(
        () => false,
        () => false,
      ),
    ])
  } finally {
    timer.abort()
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
  return await new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      finish(() => {
        reject(late())
      })
    }, ms)
    const onAbort = (): void => {
      finish(() => {
        reject(signal?.reason as Error)
      })
    }
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    promise.then(
      (value) => {
        finish(() => {
          resolve(value)
        })
      },
      (error: unknown) => {
        finish(() => {
          reject(error)
        })
      },
    )
  })
}

/**
 * The outcome of `promise`, unless `signal` aborts before.
 *
 * @throws the signal's reason, or what `promise` rejects with.
 */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  return await new Promise<T>((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort)
    })
  })
}

/** Resolves after `ms` milliseconds, and does not keep the process alive for it. */
export async function sleepUnref(ms: number): Promise<void> {
  await sleepFor(ms, undefined, { ref: false })
}
