import { setImmediate as turn } from 'node:timers/promises'

interface Timer {
  readonly at: number
  readonly ring: () => void
}

/** A clock that stands still until everybody sleeps, and then jumps to the next one to wake. */
export class FakeTime {
  now = 0
  /** How long each sleep was, in the order of their beginning. */
  readonly sleeps: number[] = []
  #timers: Timer[] = []

  readonly sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    this.sleeps.push(ms)
    await new Promise<void>((resolve, reject) => {
      const timer = { at: this.now + ms, ring: resolve }
      this.#timers.push(timer)
      signal.addEventListener('abort', () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
        reject(signal.reason as Error)
      })
    })
  }

  /** Lets time pass until `promise` settles. */
  async run<T>(promise: Promise<T>): Promise<T> {
    const settled = new AbortController()
    const mark = (): void => {
      settled.abort()
    }
    promise.then(mark, mark)
    for (let round = 0; round < 100_000; round++) {
      for (let i = 0; i < 5; i++) await turn()
      if (settled.signal.aborted) return await promise
      const next = this.#timers.toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined) continue
      this.#timers = this.#timers.filter((other) => other !== next)
      this.now = Math.max(this.now, next.at)
      next.ring()
    }
    throw new Error(`nothing settled until ${this.now} ms of fake time`)
  }
}
