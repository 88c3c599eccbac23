import { Signals } from '../process/signals.ts'
import { deferred } from '../util/deferred.ts'
import { type EndingSignal, takeHeldSignal } from '../util/early-signals.ts'
import type { PassedOn } from './signals.ts'
import type { StartedRank } from './started-rank.ts'

/** The signals that come to this process, which are passed on to all ranks. */
export class Interruption implements Disposable {
  readonly #signals: Signals
  readonly #first = deferred<EndingSignal>()
  readonly #aborted = new AbortController()
  #came: EndingSignal | undefined

  constructor(ranks: readonly StartedRank[]) {
    const pass = (signal: PassedOn): void => {
      for (const rank of ranks) rank.signal(signal)
    }
    const onEnding = (signal: EndingSignal): void => {
      pass(signal)
      this.#came ??= signal
      this.#first.resolve(signal)
      this.#aborted.abort()
    }
    this.#signals = new Signals({ onEnding, onUser: (signal) => pass(signal as PassedOn) })
    const held = takeHeldSignal()
    if (held !== undefined) this.#signals.ending(held, { onEnding })
  }

  /** The first one that ends a run. */
  get signal(): Promise<EndingSignal> {
    return this.#first.promise
  }

  /** The same, where it has come. */
  get first(): EndingSignal | undefined {
    return this.#came
  }

  /** Aborts when it comes. */
  get aborted(): AbortSignal {
    return this.#aborted.signal
  }

  [Symbol.dispose](): void {
    this.#signals[Symbol.dispose]()
  }
}
