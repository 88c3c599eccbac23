import { createHash } from 'node:crypto'

/** Numbers that a seed decides: the same ones each time. */
export class Random {
  readonly #seed: string
  #drawn = 0

  constructor(seed: string) {
    this.#seed = seed
  }

  /** A number from 0 up to, and without, 1. */
  next(): number {
    const digest = createHash('sha256').update(`${this.#seed}:${this.#drawn++}`).digest()
    return digest.readUIntBE(0, 6) / 2 ** 48
  }

  /** One of `items`. */
  of<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)]
    if (item === undefined) throw new RangeError('Cannot draw from nothing')
    return item
  }
}
