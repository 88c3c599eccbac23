import { deferred } from '../util/deferred.ts'
import type { Future } from './future.ts'

/** How much is under way at once. */
export interface Bound {
  /** So many tasks that have not been given yet; no further item is taken before. */
  readonly concurrency: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Submits a task for each item as it comes, and gives the futures in the order of the items, each when it has completed. Where the
 * loop ends early, the tasks that are under way are released.
 */
export async function* mapBounded<T, F extends Future<unknown>>(
  items: AsyncIterable<T>,
  submit: (item: T, i: number) => F,
  { concurrency, signal }: Bound,
): AsyncGenerator<F, undefined> {
  const iterator = items[Symbol.asyncIterator]()
  const queue: F[] = []
  const completed = new Set<F>()
  let [reading, ended, count] = [false, false, 0]
  /** What the source has thrown, or why no task could be made of an item. */
  let failure: { readonly error: unknown } | undefined
  let change = deferred<undefined>()
  const wake = (): void => {
    change.resolve(undefined)
  }
  const read = async (): Promise<void> => {
    reading = true
    try {
      const next = await iterator.next()
      if (next.done === true) ended = true
      else {
        const future = submit(next.value, count++)
        queue.push(future)
        void future.exception().then(() => {
          completed.add(future)
          wake()
        })
      }
    } catch (error) {
      failure = { error }
    }
    reading = false
    wake()
  }
  signal?.addEventListener('abort', wake)
  try {
    for (;;) {
      change = deferred()
      signal?.throwIfAborted()
      if (!ended && !reading && failure === undefined && queue.length < concurrency) void read()
      const [first] = queue
      if (first !== undefined && completed.delete(first)) {
        queue.shift()
        yield first
      } else if (first === undefined && failure !== undefined) throw failure.error
      else if (first === undefined && ended) return undefined
      else await change.promise
    }
  } finally {
    signal?.removeEventListener('abort', wake)
    for (const future of queue) future.release()
    // Not awaited: an item that is under way may never come.
    if (!ended) void iterator.return?.().catch(() => undefined)
  }
}
