import type { Wait, WaitOptions } from './bounded.ts'
import { leadToCallers } from './call-site.ts'
import { futuresOf } from './check-futures.ts'
import { type Future, unheldEnd } from './future.ts'
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
  readonly #wait: Wait
  readonly #ready: (() => T)[] = []
  /** Those that are not pending any more stay here, so that one is given once. */
  readonly #known = new WeakSet<F>()
  #pending = 0
  /** Until one more can be given. */
  #more: Deferred<void> = deferred()

  /** @internal */
  constructor(futures: Iterable<F>, outcome: Outcome<F, T>, wait: Wait) {
    this.#outcome = outcome
    this.#wait = wait
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
        this.#more = deferred()
      })
    }
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      const outcome = this.#ready.shift()
      if (outcome !== undefined) return { done: false, value: outcome() }
      const { count } = this
      if (count === 0) return { done: true, value: undefined }
      await this.#wait(this.#more.promise, () => `wait for ${count} futures: they are pending`)
    }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** How far the futures are: at once, then at each change, until none is pending. */
export async function* progressOf(futures: Iterable<Future<unknown>>, wait: Wait): AsyncGenerator<Progress, undefined> {
  const all = [...new Set(futures)]
  let changed = deferred<undefined>()
  for (const future of all)
    void future[unheldEnd].then(() => {
      changed.resolve(undefined)
    })
  for (;;) {
    changed = deferred()
    const finished = all.filter(({ status }) => status === 'finished').length
    const pending = all.filter(({ status }) => status === 'pending').length
    yield { total: all.length, finished, failed: all.length - finished - pending, pending }
    if (pending === 0) return undefined
    await wait(changed.promise, () => `wait for ${pending} of ${all.length} futures: they are pending`)
  }
}
