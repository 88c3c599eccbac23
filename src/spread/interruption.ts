import { Signals } from '../process/signals.ts'
import { type EndingSignal, takeHeldSignal } from '../util/early-signals.ts'
import type { PassedOn } from './orders.ts'
import type { StartedRank } from './started-rank.ts'

/** The signals that come to this process, which are passed on to all ranks. */
export class Interruption implements Disposable {
  readonly #signals: Signals
  readonly #aborted = new AbortController()

  constructor(ranks: readonly StartedRank[]) {
    const pass = (signal: PassedOn): void => {
      for (const rank of ranks) rank.signal(signal)
    }
    const onEnding = (signal: EndingSignal): void => {
      pass(signal)
      this.#aborted.abort(signal)
    }
    this.#signals = new Signals({ onEnding, onUser: (signal) => pass(signal as PassedOn) })
    const held = takeHeldSignal()
    if (held !== undefined) this.#signals.ending(held, { onEnding })
  }

  /** Aborts when the first one comes that ends a run. */
  get aborted(): AbortSignal {
    return this.#aborted.signal
  }

  /** The same, where it has come. */
  get first(): EndingSignal | undefined {
    return this.#aborted.signal.reason as EndingSignal | undefined
  }

  [Symbol.dispose](): void {
    this.#signals[Symbol.dispose]()
  }
}
