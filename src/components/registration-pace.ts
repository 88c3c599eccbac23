import { monotonic } from '../util/monotonic.ts'

/** The least and the most time between two questions after workers of other hosts. In milliseconds. */
const [leastPause, longestPause] = [1_000, 60_000]

/**
 * When to ask the scheduler for all that it knows of its workers, which is 1 kB for each, to find those of a command of ours. A
 * worker that is new and on this host is most likely one. Where all that is new is elsewhere it is asked ever more
 * seldom: in a large run somebody comes all the time.
 */
export class RegistrationPace {
  readonly #isHere: (address: string) => boolean
  readonly #now: () => number
  #known: ReadonlySet<string> = new Set()
  #pause = leastPause
  #due = 0

  /** @param isHere whether a worker's address is one of this host */
  constructor(isHere: (address: string) => boolean, now: () => number = monotonic) {
    this.#isHere = isHere
    this.#now = now
  }

  /** Whether to ask now, where these workers run. */
  isDue(addresses: readonly string[]): boolean {
    const fresh = addresses.filter((address) => !this.#known.has(address))
    const isDue = fresh.some(this.#isHere) || (fresh.length > 0 && this.#now() >= this.#due)
    // One that has gone may come back.
    this.#known = new Set(addresses.filter((address) => isDue || this.#known.has(address)))
    if (!isDue) return false
    this.#due = this.#now() + this.#pause
    this.#pause = Math.min(longestPause, 2 * this.#pause)
    return true
  }
}
