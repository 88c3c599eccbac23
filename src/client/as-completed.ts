import { bounded, type WaitOptions } from './bounded.ts'
import { leadToCallers } from './call-site.ts'
import { futuresOf } from './check-futures.ts'
import type { Future } from './future.ts'
import { type Deferred, deferred } from '../util/deferred.ts'

/** How far many tasks are. */
export interface Progress {
  readonly total: number
  readonly finished: number
  /** Failed, cancelled or lost. */
  readonly failed: number
  readonly pending: number
}

/** How futures are given as they complete. */
export interface AsCompletedOptions extends WaitOptions {
  /** Give pairs of a future and its result. @default false */
  readonly withResults?: boolean | undefined
  /** With results: throw the error of a task that fails, which ends a loop; else it stands in the place of the result. @default true */
  readonly raiseErrors?: boolean | undefined
}

/** What a future becomes when it completes. */
export type Outcome<F extends Future<unknown>, T> = (future: F) => Promise<() => T>

/** Futures in the order in which they complete. More may be added while they are iterated. */
export class AsCompleted<F extends Future<unknown>, T = F> implements AsyncIterableIterator<T> {
  static {
    leadToCallers(this)
  }

  readonly #outcome: Outcome<F, T>
  readonly #options: WaitOptions
  readonly #ready: (() => T)[] = []
  /** Those that are not pending any more stay here, so that one is given once. */
  readonly #known = new WeakSet<F>()
  #pending = 0
  #more: Deferred<void> = deferred()

  /** @internal */
  constructor(futures: Iterable<F>, outcome: Outcome<F, T>, options: WaitOptions) {
    this.#outcome = outcome
    this.#options = options
    this.update(futures)
  }

  /** How many have not been given yet. */
  get count(): number {
    return this.#pending + this.#ready.length
  }

  /** Gives this one, too, when it completes, unless it was given. */
  add(future: F): void {
    this.update([future])
  }

  /** Gives these, too, when they complete, but for those that it knows. */
  update(futures: Iterable<F>): void {
    for (const future of futuresOf(futures)) {
      if (this.#known.has(future)) continue
      this.#known.add(future)
      this.#pending++
      void this.#outcome(future).then((outcome) => {
        this.#pending--
        this.#ready.push(outcome)
        this.#more.resolve()
      })
    }
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    while (this.#ready.length === 0) {
      const { count } = this
      if (count === 0) return { done: true, value: undefined }
      this.#more = deferred()
      await bounded(this.#more.promise, this.#options, () => `wait for ${count} futures: they are pending`)
    }
    const outcome = this.#ready.shift()
    return outcome === undefined ? await this.next() : { done: false, value: outcome() }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** How far the futures are: at once, then at each change, until none is pending. */
export async function* progressOf(
  futures: Iterable<Future<unknown>>,
  completion: (future: Future<unknown>) => Promise<unknown>,
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
