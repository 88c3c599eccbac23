import { types } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { cannotSend, formatKind } from './cannot-send.ts'
import type { Dependencies } from './dependencies.ts'
import { NDArray } from './nd-array.ts'
import { unsendable } from './unsendable.ts'

/** Stands for a future: arrays are what V8 asks us to write. */
export class FutureMark extends Uint8Array {
  readonly index: number

  constructor(index: number) {
    super(0)
    this.index = index
  }
}

/** Stands for an array of several dimensions. */
export class ShapedMark extends Uint8Array {
  readonly array: NDArray

  constructor(array: NDArray) {
    super(0)
    this.array = array
  }
}

/**
 * Replaces what a clone has no form of, or another one, by marks: futures and arrays of several dimensions. What cannot be cloned is
 * found on the way: V8 does not say where it is.
 */
export class Marks {
  readonly #dependencies: Dependencies | undefined
  readonly #seen = new Map<object, unknown>()
  /** Where what is looked at stands. */
  readonly #place: (string | number)[]

  constructor(name: string, dependencies: Dependencies | undefined) {
    this.#place = [name]
    this.#dependencies = dependencies
  }

  /** The value with marks; where there is none in it, the value itself. @throws TypeError that names the place of what cannot be sent. */
  mark(value: unknown): unknown {
    if (typeof value === 'function' || typeof value === 'symbol') throw this.#refusal(value)
    if (typeof value !== 'object' || value === null) return value
    const known = this.#seen.get(value)
    if (known !== undefined) return known
    const index = this.#dependencies?.place(value)
    if (index !== undefined) return new FutureMark(index)
    this.#seen.set(value, value)
    const marked = this.#inside(value)
    if (marked !== value) this.#seen.set(value, marked)
    return marked
  }

  #inside(value: object): unknown {
    const refused = unsendable(value, this.#place)
    if (refused !== undefined) throw refused
    if (types.isProxy(value)) throw this.#refusal(value, 'a Proxy')
    if (ArrayBuffer.isView(value)) return value
    if (value instanceof NDArray) {
      this.#items(
        [value.data],
        () => undefined,
        value,
        () => 'data',
      )
      return new ShapedMark(value as NDArray)
    }
    if (Array.isArray(value)) return this.#items(value, (items) => items, value)
    if (value instanceof Map) {
      const entries: unknown[] = []
      for (const [key, item] of value) entries.push(key, item)
      const step = (i: number): number => Math.floor(i / 2)
      return this.#items(entries, (items) => new Map(pairs(items)), value, step)
    }
    if (value instanceof Set) return this.#items([...value], (items) => new Set(items), value)
    if (types.isNativeError(value)) {
      const lost = 'a clone of an Error does not keep the future or NDArray in its cause; send that beside it'
      const cause = this.#items(
        [value.cause],
        () => undefined,
        value,
        () => 'cause',
      )
      if (cause !== value) throw cannotSend(this.#place, formatKind(value), lost)
      return value
    }
    const keys = Object.keys(value)
    this.#checkClass(value, keys)
    const items = keys.map((key) => (value as Readonly<Record<string, unknown>>)[key])
    const make = (items: unknown[]): object => Object.fromEntries(keys.map((key, i) => [key, items[i]]))
    // A clone of an object has no class.
    return this.#items(items, make, value, (i) => keys[i] ?? i)
  }

  /** Refuses objects of a class that V8 refuses, and those, all of whose content is hidden, that become {} in a clone: a URL does. */
  #checkClass(value: object, keys: readonly string[]): void {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null || types.isDate(value)) return
    if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef)
      throw this.#refusal(value)
    if (keys.length > 0) return
    let clone: object
    try {
      clone = deserialize(serialize(value)) as object
    } catch {
      throw this.#refusal(value)
    }
    if (Object.getPrototypeOf(clone) !== Object.prototype) return
    const advice = 'a structured clone would make {} of it: send the plain data in it'
    throw cannotSend(this.#place, formatKind(value), advice)
  }

  #refusal(value: unknown, what = formatKind(value)): TypeError {
    return cannotSend(this.#place, what, 'a structured clone has no form of it')
  }

  /** What `make` makes of the marked items; where none is marked, the whole that they are of. */
  #items(
    items: readonly unknown[],
    make: (items: unknown[]) => unknown,
    whole: unknown,
    step: (i: number) => string | number = (i) => i,
  ): unknown {
    let marked: unknown[] | undefined
    for (let i = 0; i < items.length; i++) {
      const item = items[i]
      if (item === null || (typeof item !== 'object' && typeof item !== 'function' && typeof item !== 'symbol'))
        continue
      this.#place.push(step(i))
      const one = this.mark(item)
      this.#place.pop()
      if (one !== item) (marked ??= items.slice())[i] = one
    }
    return marked === undefined ? whole : make(marked)
  }
}

function pairs(items: readonly unknown[]): [unknown, unknown][] {
  return Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i], items[2 * i + 1]])
}
