import { type EndingSignal, heededSignals, userSignals } from '../util/early-signals.ts'
import { monotonic } from '../util/monotonic.ts'
import { sleep } from '../util/wait.ts'

/** One signal that arrives several times within this time is one signal. In milliseconds. */
const sameSignal = 1_000

/** By so much sooner than to this process a signal may come to others of its run, which tell this one. In milliseconds. */
let longestDelay = 0

/** Signals come to the processes of this run one after the other, within so many milliseconds. */
export function bearLateSignals(ms: number): void {
  longestDelay = ms
}

/** A workload manager that signals the whole process tree does so within this time. In milliseconds. */
const sameMoment = 150

/** Where signals come from: Node's process, or what takes its place in a test. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown
  off(signal: NodeJS.Signals, listener: () => void): unknown
}

/** What is done with the signals that come to this process. */
export interface SignalHandlers {
  /** TERM, INT or HUP; `again` for a second one, whichever it is. */
  readonly onEnding: (signal: EndingSignal, again: boolean) => void
  /** USR1 or USR2. */
  readonly onUser: (signal: NodeJS.Signals) => void
}

/**
 * Takes over the signals that a workload manager sends, from the first moment: Node's own answer to
 * USR1 would be to open its inspector.
 *
 * A workload manager may signal a supervisor alone, or every process of its tree at once.
 * {@link Signals.reachedAll} tells which it was, so that a child is not told twice.
 */
export class Signals implements Disposable {
  readonly #source: SignalSource
  readonly #now: () => number
  readonly #listeners = new Map<NodeJS.Signals, () => void>()
  readonly #seenInTree = new Map<NodeJS.Signals, number>()
  readonly #seen = new Map<NodeJS.Signals, number>()
  #continued = -Infinity
  #ending: number | undefined

  constructor(handlers: SignalHandlers, source: SignalSource = process, now: () => number = monotonic) {
    this.#source = source
    this.#now = now
    for (const signal of heededSignals()) {
      this.#listen(signal, () => {
        this.ending(signal, handlers)
      })
    }
    this.#listen('SIGCONT', () => {
      this.#continued = this.#now()
    })
    for (const signal of userSignals) {
      this.#listen(signal, () => {
        if (this.#now() - (this.#seen.get(signal) ?? -Infinity) < sameSignal) return
        this.#seen.set(signal, this.#now())
        handlers.onUser(signal)
      })
    }
  }

  /** Counts an ending signal, wherever it came to, and hands it on unless it is still the last one. */
  ending(signal: EndingSignal, handlers: Pick<SignalHandlers, 'onEnding'>): void {
    const now = this.#now()
    if (this.#ending !== undefined && now - this.#ending < sameSignal + longestDelay) return
    const again = this.#ending !== undefined
    this.#ending = now
    handlers.onEnding(signal, again)
  }

  /** Notes that `signal` came to another process of our tree, by the signal itself. */
  sawInTree(signal: NodeJS.Signals): void {
    this.#seenInTree.set(signal, this.#now())
  }

  /** Whether `signal`, which came just now, reached our children by itself too. */
  async reachedAll(signal: NodeJS.Signals): Promise<boolean> {
    const recently = (): boolean => this.#now() - (this.#seenInTree.get(signal) ?? -Infinity) < sameSignal
    if (!recently()) await sleep(sameMoment)
    return recently()
  }

  /**
   * Whether `signal`, which came just now, is a workload manager's: it reached our children by itself too, or
   * came with a CONT, as Slurm sends it to what it is about to end.
   */
  async isManagers(signal: NodeJS.Signals): Promise<boolean> {
    return this.#now() - this.#continued < sameSignal || (await this.reachedAll(signal))
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) this.#source.off(signal, listener)
    this.#listeners.clear()
  }

  #listen(signal: NodeJS.Signals, listener: () => void): void {
    this.#listeners.set(signal, listener)
    this.#source.on(signal, listener)
  }
}
