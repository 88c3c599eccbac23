import { types } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { formatKind } from './cannot-send.ts'
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

/** Replaces what a clone has no form of, or another one, by marks: futures and arrays of several dimensions. */
export class Marks {
  readonly #dependencies: Dependencies | undefined
  readonly #seen = new Map<object, unknown>()

  constructor(dependencies: Dependencies | undefined) {
    this.#dependencies = dependencies
  }

  /** The value with marks; where there is none in it, the value itself. */
  mark(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
    const known = this.#seen.get(value)
    if (known !== undefined) return known
    const index = this.#dependencies?.place(value)
    if (index !== undefined) return new FutureMark(index)
    this.#seen.set(value, value)
    const marked = value instanceof NDArray ? new ShapedMark(value as NDArray) : this.#inside(value)
    if (marked !== value) this.#seen.set(value, marked)
    return marked
  }

  #inside(value: object): unknown {
    const refused = unsendable(value, [])
    if (refused !== undefined) throw refused
    if (Array.isArray(value)) return this.#items(value, (items: unknown[]) => items)
    if (value instanceof Map) {
      const entries: unknown[] = []
      for (const [key, item] of value) entries.push(key, item)
      return this.#items(entries, (items) => new Map(pairs(items)), value)
    }
    if (value instanceof Set) return this.#items([...value], (items) => new Set(items), value)
    const keys = Object.keys(value)
    if (keys.length === 0 && isEmptied(value)) throw new TypeError(`${formatKind(value)} would be empty`)
    if (types.isNativeError(value) && this.mark(value.cause) !== value.cause)
      throw new TypeError('a clone of an Error does not keep the future or NDArray in its cause; send that beside it')
    // A clone of an object has no class.
    if (Object.prototype.toString.call(value) !== '[object Object]') return value
    const items = keys.map((key) => (value as Readonly<Record<string, unknown>>)[key])
    return this.#items(items, (items) => Object.fromEntries(keys.map((key, i) => [key, items[i]])), value)
  }

  /** What `make` makes of the marked items; where none is marked, the whole that they are of. */
  #items(items: readonly unknown[], make: (items: unknown[]) => unknown, whole: unknown = items): unknown {
    let marked: unknown[] | undefined
    for (let i = 0; i < items.length; i++) {
      const item = items[i]
      if (typeof item !== 'object' || item === null) continue
      const one = this.mark(item)
      if (one !== item) (marked ??= items.slice())[i] = one
    }
    return marked === undefined ? whole : make(marked)
  }
}

function pairs(items: readonly unknown[]): [unknown, unknown][] {
  return Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i], items[2 * i + 1]])
}

/** Whether V8 refuses an object as a whole: what is within it is not looked at. */
export function isRefused(value: object): boolean {
  if (Object.keys(value).length > 0 || value instanceof Map || value instanceof Set) return false
  try {
    serialize(value)
    return false
  } catch {
    return true
  }
}

/** Whether an object of a class, all of whose content is hidden, becomes {} in a clone: a URL does. */
export function isEmptied(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null || types.isDate(value)) return false
  try {
    const clone = deserialize(serialize(value)) as object
    return Object.getPrototypeOf(clone) === Object.prototype
  } catch {
    // It cannot be cloned at all.
    return false
  }
}
