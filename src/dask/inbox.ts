import { type Deferred, deferred } from '../util/deferred.ts'
import { deadline } from '../util/wait.ts'

/** Messages that have come and are not read yet, or those who wait for them. */
export class Inbox {
  readonly #messages: unknown[] = []
  readonly #waiting: Deferred<unknown>[] = []
  #failure: Error | undefined

  /** How many messages nobody has asked for yet. */
  get size(): number {
    return this.#messages.length
  }

  /** Why there will be no more messages, once that is so. */
  get failure(): Error | undefined {
    return this.#failure
  }

  put(message: unknown): void {
    const first = this.#waiting.shift()
    if (first === undefined) this.#messages.push(message)
    else first.resolve(message)
  }

  /** No more messages will come. Those that are here can still be read. */
  fail(error: Error): void {
    this.#failure ??= error
    for (const each of this.#waiting.splice(0)) each.reject(this.#failure)
  }

  /**
   * The next message.
   *
   * @throws what `late` gives, where none comes within `ms` milliseconds; the reason of `signal`; or
   * the failure.
   */
  async next(ms: number, late: () => Error, signal?: AbortSignal): Promise<unknown> {
    signal?.throwIfAborted()
    if (this.#messages.length > 0) return this.#messages.shift()
    if (this.#failure !== undefined) throw this.#failure
    const mine = deferred<unknown>()
    this.#waiting.push(mine)
    try {
      return await deadline(mine.promise, ms, late, signal)
    } finally {
      const at = this.#waiting.indexOf(mine)
      if (at >= 0) this.#waiting.splice(at, 1)
    }
  }
}
