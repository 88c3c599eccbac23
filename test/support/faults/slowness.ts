import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long Node takes for nothing on two quiet cores. In milliseconds. */
const quietMs = 150

/** Between two looks. In milliseconds. */
const pauseMs = 1_000

/** More is not made up for: a run that hangs is to be found. */
const most = 6

/**
 * Looks again and again how much longer than on a quiet machine the start of a process takes, until it is disposed of. What has to
 * be over in seconds is work of many processes, which takes as much longer on a machine that is slow, or busy with other tests.
 */
export class Slowness implements Disposable {
  readonly #factors: number[] = []
  readonly #over = new AbortController()

  constructor() {
    void this.#look()
  }

  /** The mean of all looks, at least 1. */
  get factor(): number {
    const sum = this.#factors.reduce((one, other) => one + other, 0)
    return Math.min(most, Math.max(1, sum / Math.max(1, this.#factors.length)))
  }

  async #look(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const began = performance.now()
      await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit')
      this.#factors.push((performance.now() - began) / quietMs)
      await sleep(pauseMs, undefined, { signal: this.#over.signal }).catch(() => undefined)
    }
  }

  [Symbol.dispose](): void {
    this.#over.abort()
  }
}
