/** Under this name a future has its number. */
export const futureNumber = Symbol('futureNumber')

/** The futures among the arguments of a call, in the order in which they were met. */
export class Dependencies {
  readonly #places = new Map<number, number>()

  /** The place of `value` among them, where it is a future. */
  place(value: object): number | undefined {
    if (!(futureNumber in value)) return undefined
    const number = (value as { readonly [futureNumber]: number })[futureNumber]
    const place = this.#places.get(number) ?? this.#places.size
    this.#places.set(number, place)
    return place
  }

  /** Their numbers, by place. */
  get numbers(): number[] {
    return [...this.#places.keys()]
  }
}
