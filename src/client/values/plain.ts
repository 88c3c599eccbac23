import { decode, Encoder, ExtData, ExtensionCodec } from '@msgpack/msgpack'
import { cannotSend, formatKind } from './cannot-send.ts'
import type { Dependencies } from './dependencies.ts'
import { type Encoded, large, plain } from './encoded.ts'
import { bytesOf, letterOf, NDArray, type TypedArray, typedArrayOf } from './nd-array.ts'
import { unsendable } from './unsendable.ts'

/** The extensions of msgpack; src/python/tasks-values.py has them too. */
const extensions = { future: 1, bigint: 2, date: 3, set: 4, map: 5, array: 6, bytes: 7 } as const

/** Deeper than anybody's data, so deep only where something contains itself. */
const deepest = 200
const encoder = new Encoder({ maxDepth: 2 * deepest })

/** Those that Python has. */
const firstDate = new Date('0001-01-01T00:00:00Z')
const lastDate = new Date('9999-12-31T23:59:59.999Z')

const noUtf8 = 'UTF-8, which Python reads, has no form of it'

type PlainPlace = (string | number)[]

/**
 * A value in the form that Python reads: numbers, strings, booleans, null, arrays, plain objects,
 * `Buffer` and `ArrayBuffer` (bytes), typed arrays and {@link NDArray} (NumPy), BigInt, Date, Map, Set.
 *
 * @param name what the value is called in messages
 * @throws TypeError that names the place of what cannot cross.
 */
export function encodePlain(value: unknown, name = 'value', dependencies?: Dependencies): Encoded {
  const buffers: Uint8Array[] = []
  const data = encoder.encode(new Walk(buffers, dependencies).form(value, [name]))
  return { kind: plain, data, buffers }
}

/** The arguments of a Python function, as a pair of positional and keyword ones. @throws as {@link encodePlain} */
export function encodeCall(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  dependencies: Dependencies,
): Encoded {
  const buffers: Uint8Array[] = []
  const walk = new Walk(buffers, dependencies)
  const data = encoder.encode([walk.form(args, ['arguments']), walk.form(kwargs, ['kwargs'])])
  return { kind: plain, data, buffers }
}

class Walk {
  readonly #buffers: Uint8Array[]
  readonly #dependencies: Dependencies | undefined

  constructor(buffers: Uint8Array[], dependencies: Dependencies | undefined) {
    this.#buffers = buffers
    this.#dependencies = dependencies
  }

  /** What msgpack writes for it. `place` is changed on the way, and the same again after it. */
  form(value: unknown, place: PlainPlace): unknown {
    switch (typeof value) {
      case 'number':
      case 'boolean':
      case 'undefined': // msgpack writes null
        return value
      case 'string':
        if (!value.isWellFormed()) throw cannotSend(place, 'a string with half of a surrogate pair', noUtf8)
        return value
      case 'bigint':
        return new ExtData(extensions.bigint, bigintBytes(value))
      case 'object':
        if (value === null) return null
        if (place.length > deepest)
          throw cannotSend(place.slice(0, 4), `nested more than ${deepest} levels deep`, 'does it contain itself?')
        return this.#object(value, place)
      default:
        throw cannotSend(place, formatKind(value), 'Python has no form of it')
    }
  }

  #object(value: object, place: PlainPlace): unknown {
    const refused = unsendable(value, place)
    if (refused !== undefined) throw refused
    if (Array.isArray(value)) return this.#items(value, place)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null)
      return this.#properties(value as Readonly<Record<string, unknown>>, place)
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      if (Buffer.isBuffer(value)) return this.#extension(extensions.bytes, this.#bytes(value))
      return this.#array(value as TypedArray, null)
    }
    if (value instanceof ArrayBuffer) return this.#extension(extensions.bytes, this.#bytes(new Uint8Array(value)))
    if (value instanceof NDArray) {
      const { data, shape } = value as NDArray
      const refused = unsendable(data, [...place, 'data'])
      if (refused !== undefined) throw refused
      return this.#array(data, shape)
    }
    if (value instanceof Date) {
      if (Number.isNaN(value.getTime())) throw cannotSend(place, 'an invalid Date', 'Python has no form of it')
      if (!isPythonDate(value))
        throw cannotSend(place, `the Date ${value.toISOString()}`, "Python's years are 1 to 9999")
      const bytes = Buffer.allocUnsafe(8)
      bytes.writeDoubleLE(value.getTime())
      return new ExtData(extensions.date, bytes)
    }
    if (value instanceof Set) {
      const items: unknown[] = []
      for (const item of value) items.push(this.#hashable(item, place, items.length, 'an element of a Set'))
      return this.#extension(extensions.set, items)
    }
    if (value instanceof Map) {
      const items: unknown[] = []
      for (const [key, item] of value) {
        const i = items.length / 2
        items.push(this.#hashable(key, place, i, 'a key of a Map'), this.#inner(item, place, i))
      }
      return this.#extension(extensions.map, items)
    }
    if (isBoxed(value)) return value.valueOf()
    const index = this.#dependencies?.place(value)
    if (index !== undefined) return new ExtData(extensions.future, bytesOf(new Uint32Array([index])))
    throw cannotSend(place, formatKind(value), 'Python has no form of it; pass the plain data in it')
  }

  /** What msgpack writes as it is stays as it is: a copy of a large value takes longer than to write it. */
  #items(value: readonly unknown[], place: PlainPlace): readonly unknown[] {
    let copy: unknown[] | undefined
    for (let i = 0; i < value.length; i++) {
      const form = this.#inner(value[i], place, i)
      if (form !== value[i]) (copy ??= value.slice())[i] = form
    }
    return copy ?? value
  }

  /** The same of an object. */
  #properties(value: Readonly<Record<string, unknown>>, place: PlainPlace): unknown {
    let copy: Record<string, unknown> | undefined
    for (const key of Object.keys(value)) {
      if (!key.isWellFormed()) throw cannotSend(place, 'an object with half of a surrogate pair in a key', noUtf8)
      const form = this.#inner(value[key], place, key)
      if (form !== value[key]) (copy ??= Object.fromEntries(Object.entries(value)))[key] = form
    }
    return copy ?? value
  }

  /** Python finds what is in its sets and dicts by a hash, which what may change has not. */
  #hashable(value: unknown, place: PlainPlace, step: number, where: string): unknown {
    if (isUnhashable(value))
      throw cannotSend([...place, step], `${formatKind(value)} as ${where}`, 'Python cannot hash it')
    return this.#inner(value, place, step)
  }

  #inner(value: unknown, place: PlainPlace, step: string | number): unknown {
    place.push(step)
    const form = this.form(value, place)
    place.pop()
    return form
  }

  #array(array: TypedArray, shape: readonly number[] | null): ExtData {
    return this.#extension(extensions.array, [letterOf(array), shape, this.#bytes(bytesOf(array))])
  }

  /** The number of a buffer beside the header, or the bytes themselves. */
  #bytes(bytes: Uint8Array): number | Uint8Array {
    if (bytes.byteLength < large) return bytes
    return this.#buffers.push(bytes) - 1
  }

  #extension(code: number, content: unknown): ExtData {
    return new ExtData(code, encoder.encode(content))
  }
}

/** Whether Python has the date. */
export function isPythonDate(date: Date): boolean {
  return date.getTime() >= firstDate.getTime() && date.getTime() <= lastDate.getTime()
}

function isUnhashable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  const plainObject = prototype === Object.prototype || prototype === null
  const mutable = Array.isArray(value) || ArrayBuffer.isView(value) || value instanceof NDArray
  return plainObject || mutable || value instanceof Map || value instanceof Set
}

function isBoxed(value: object): boolean {
  return value instanceof Number || value instanceof String || value instanceof Boolean
}

/** Two's complement, the lowest byte first. By its digits: shifts would take time by the square of its length. */
function bigintBytes(value: bigint): Uint8Array {
  const size = Math.floor(value.toString(16).length / 2) + 1
  const digits = BigInt.asUintN(8 * size, value).toString(16)
  return Buffer.from(digits.padStart(2 * size, '0'), 'hex').reverse()
}

function bigintOf(bytes: Uint8Array): bigint {
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`))
}

interface PlainContext {
  readonly buffers: readonly Uint8Array[]
}

const codec = new ExtensionCodec<PlainContext>()
const refuse = (): null => null
const inside = (data: Uint8Array, context: PlainContext): unknown => decode(data, optionsOf(context))

codec.register({ type: extensions.bigint, encode: refuse, decode: (data) => bigintOf(data) })
codec.register({
  type: extensions.date,
  encode: refuse,
  decode: (data) => new Date(new DataView(data.buffer, data.byteOffset).getFloat64(0, true)),
})
codec.register({
  type: extensions.set,
  encode: refuse,
  decode: (data, _, context) => new Set(inside(data, context) as unknown[]),
})
codec.register({
  type: extensions.map,
  encode: refuse,
  decode: (data, _, context) => {
    const items = inside(data, context) as unknown[]
    return new Map(Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i], items[2 * i + 1]]))
  },
})
codec.register({
  type: extensions.array,
  encode: refuse,
  decode: (data, _, context) => {
    const [letter, shape, bytes] = inside(data, context) as [string, number[] | null, number | Uint8Array]
    const array = typedArrayOf(letter, bytesFrom(bytes, context))
    return shape === null ? array : new NDArray(array, shape)
  },
})
codec.register({
  type: extensions.bytes,
  encode: refuse,
  decode: (data, _, context) => {
    const place = inside(data, context) as number | Uint8Array
    const bytes = bytesFrom(place, context)
    return typeof place === 'number' ? Buffer.from(bytes.buffer as ArrayBuffer, 0, bytes.length) : Buffer.from(bytes)
  },
})

/** Never a part of a message: who keeps a few bytes would keep all of it. */
function bytesFrom(place: number | Uint8Array, { buffers }: PlainContext): Uint8Array {
  return typeof place === 'number' ? (buffers[place] ?? new Uint8Array()) : Uint8Array.prototype.slice.call(place)
}

function optionsOf(context: PlainContext): { extensionCodec: ExtensionCodec<PlainContext>; context: PlainContext } {
  return { extensionCodec: codec, context }
}

/** The value that {@link encodePlain}, or Python, has written. */
export function decodePlain({ data, buffers }: Pick<Encoded, 'data' | 'buffers'>): unknown {
  return decode(data, optionsOf({ buffers }))
}
