import type { Frames } from './frames.ts'

/** How long a connection may take until its other end has proved itself, on a slow network and a busy host. In milliseconds. */
const proofTimeout = 30_000

/**
 * Connections whose other end has not proved itself. Whoever reaches the port may make as many as he likes, so only so many are
 * kept: the oldest gives way to the newest. Somebody of the run needs no more than a moment, and tries again where that was too long.
 */
export class Unproved {
  readonly #most: number
  readonly #timers = new Map<Frames, NodeJS.Timeout>()

  /** @param most how many are kept */
  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#timers.size
  }

  add(frames: Frames): void {
    const late = setTimeout(() => {
      frames.destroy()
    }, proofTimeout)
    late.unref()
    this.#timers.set(frames, late)
    const [oldest] = this.#timers.keys()
    if (this.#timers.size > this.#most && oldest !== undefined) {
      this.delete(oldest)
      oldest.destroy()
    }
  }

  /** It has proved itself, or is closed. */
  delete(frames: Frames): void {
    clearTimeout(this.#timers.get(frames))
    this.#timers.delete(frames)
  }
}
