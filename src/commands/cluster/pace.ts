import { defaults } from '../../defaults.ts'
import { monotonic } from '../../util/monotonic.ts'
import { sleep } from '../../util/wait.ts'

/** Between two requests to a scheduler. In milliseconds. */
const interval = defaults.workersInterval
/** How many requests may be saved up. */
const most = 3

/**
 * Keeps the requests that a process makes to a scheduler, of whatever kind, to one each 100 ms: after n
 * milliseconds it has made `atOnce` + n / 100 of them at most.
 */
export class Pace {
  /** When the next request may be made, by `monotonic()`; in the past where some are saved up. */
  #due: number

  /** @param atOnce so many requests need not wait */
  constructor(atOnce: number) {
    this.#due = monotonic() - (atOnce - 1) * interval
  }

  /** Waits until `requests` more of them may be made. */
  async turn(signal: AbortSignal, requests = 1): Promise<void> {
    this.#count(requests)
    const wait = this.#due - interval - monotonic()
    // A timer may be a millisecond early.
    if (wait > 0) await sleep(Math.ceil(wait) + 1, signal)
  }

  /** A request is made at once: those after it have to wait for longer. */
  owe(): void {
    this.#count(1)
  }

  #count(requests: number): void {
    this.#due = Math.max(this.#due, monotonic() - (most - 1) * interval) + requests * interval
  }
}
