import { bounded, type WaitOptions } from './bounded.ts'
import type { Future } from './future.ts'
import { deferred } from '../util/deferred.ts'

/** How far many tasks are. */
export interface Progress {
  readonly total: number
  readonly finished: number
  /** Failed, cancelled or lost. */
  readonly failed: number
  readonly pending: number
}

/** Calls `onCompleted` for each future when it is not pending any more. */
export type Completion = (future: Future<unknown>) => Promise<void>

/** The futures in the order in which they complete, failed ones too. */
export async function* inOrderOfCompletion<F extends Future<unknown>>(
  futures: Iterable<F>,
  completion: Completion,
  options: WaitOptions,
): AsyncGenerator<F, undefined> {
  const all = new Set(futures)
  const ready: F[] = []
  let more = deferred<undefined>()
  for (const future of all)
    void completion(future).then(() => {
      ready.push(future)
      more.resolve(undefined)
    })
  for (let left = all.size; left > 0; left--) {
    if (ready.length === 0) {
      more = deferred()
      await bounded(more.promise, options, () => `wait for ${left} of ${all.size} futures: they are pending`)
    }
    const next = ready.shift()
    if (next !== undefined) yield next
  }
  return undefined
}

/** How far the futures are: at once, then at each change, until none is pending. */
export async function* progressOf(
  futures: Iterable<Future<unknown>>,
  completion: Completion,
  options: WaitOptions,
): AsyncGenerator<Progress, undefined> {
  const all = [...new Set(futures)]
  let changed = deferred<undefined>()
  for (const future of all)
    void completion(future).then(() => {
      changed.resolve(undefined)
    })
  for (;;) {
    changed = deferred()
    const finished = all.filter(({ status }) => status === 'finished').length
    const pending = all.filter(({ status }) => status === 'pending').length
    yield { total: all.length, finished, failed: all.length - finished - pending, pending }
    if (pending === 0) return undefined
    await bounded(changed.promise, options, () => `wait for ${pending} of ${all.length} futures: they are pending`)
  }
}
