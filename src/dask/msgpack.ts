import { WireError } from './frames.ts'
import type { WireLimits } from './limits.ts'

/** Builds a value of a map that is complete. */
export type OnMap = (map: Record<string, unknown>) => unknown

/**
 * The value that msgpack bytes hold, as Dask writes them: no extension types. Keys that are no
 * strings become JSON text, so that an array makes `["a",1]`; of two keys with the same text the
 * later one counts. Integers beyond 2^53 lose their last digits.
 *
 * Each value is paid for out of `limits.memory` before it is made: a byte on the wire can be an
 * object of 12 kB here, and running out of memory cannot be caught.
 *
 * @throws WireError where the bytes are not exactly one such value, or it is beyond the limits.
 */
export function decodeMsgpack(bytes: Uint8Array, limits: Pick<WireLimits, 'depth' | 'memory'>, onMap: OnMap): unknown {
  const reader = new MsgpackReader(bytes, limits, onMap)
  const value = reader.value(0)
  if (reader.left > 0) throw new WireError(`${reader.left} bytes after the end of a value`)
  return value
}

/** Bytes that V8 takes at most, as measured on Node 20 to 24, rounded up. */
const costs = {
  /** A number that is no small integer. */
  value: 16,
  place: 8,
  string: 32,
  character: 2,
  array: 64,
  binary: 160,
  map: 96,
  /** An entry whose key no object had before makes a hidden class. */
  entry: 192,
  /** For each byte of a key that becomes JSON text: a control character takes six characters. */
  keyText: 12,
  /** An index far from the others has V8 make room for all below it, as for an array. */
  farIndex: 24_576,
} as const

class MsgpackReader {
  readonly #bytes: Buffer
  readonly #depth: number
  readonly #onMap: OnMap
  #memory: number
  #pos = 0
  #inKey = false

  constructor(bytes: Uint8Array, { depth, memory }: Pick<WireLimits, 'depth' | 'memory'>, onMap: OnMap) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#depth = depth
    this.#memory = memory
    this.#onMap = onMap
  }

  get left(): number {
    return this.#bytes.length - this.#pos
  }

  value(depth: number): unknown {
    this.#pay(costs.value)
    const head = this.#uint(1)
    if (head <= 0x7f) return head
    if (head >= 0xe0) return head - 0x100
    if (head <= 0x8f) return this.#map(head & 0x0f, depth)
    if (head <= 0x9f) return this.#array(head & 0x0f, depth)
    if (head <= 0xbf) return this.#string(head & 0x1f)
    switch (head) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.#binary(this.#uint(1))
      case 0xc5:
        return this.#binary(this.#uint(2))
      case 0xc6:
        return this.#binary(this.#uint(4))
      case 0xca:
        return this.#bytes.readFloatBE(this.#take(4))
      case 0xcb:
        return this.#bytes.readDoubleBE(this.#take(8))
      case 0xcc:
        return this.#uint(1)
      case 0xcd:
        return this.#uint(2)
      case 0xce:
        return this.#uint(4)
      case 0xcf:
        return this.#uint(4) * 2 ** 32 + this.#uint(4)
      case 0xd0:
        return this.#int(1)
      case 0xd1:
        return this.#int(2)
      case 0xd2:
        return this.#int(4)
      case 0xd3:
        return this.#int(4) * 2 ** 32 + this.#uint(4)
      case 0xd9:
        return this.#string(this.#uint(1))
      case 0xda:
        return this.#string(this.#uint(2))
      case 0xdb:
        return this.#string(this.#uint(4))
      case 0xdc:
        return this.#array(this.#uint(2), depth)
      case 0xdd:
        return this.#array(this.#uint(4), depth)
      case 0xde:
        return this.#map(this.#uint(2), depth)
      case 0xdf:
        return this.#map(this.#uint(4), depth)
      default:
        throw new WireError(`the byte 0x${head.toString(16)}, which begins no value of Dask's`)
    }
  }

  #pay(bytes: number): void {
    this.#memory -= bytes
    if (this.#memory < 0) throw new WireError('a message whose values would take too much memory')
  }

  /** The position of the next `count` bytes, which are there. */
  #take(count: number): number {
    if (count > this.left) throw new WireError('a value that goes on beyond its end')
    this.#pos += count
    return this.#pos - count
  }

  #uint(width: 1 | 2 | 4): number {
    return this.#bytes.readUIntBE(this.#take(width), width)
  }

  #int(width: 1 | 2 | 4): number {
    return this.#bytes.readIntBE(this.#take(width), width)
  }

  #string(length: number): string {
    this.#pay(costs.string + costs.character * length)
    const begin = this.#take(length)
    return this.#bytes.toString('utf8', begin, begin + length)
  }

  #binary(length: number): Uint8Array | string {
    if (this.#inKey) return this.#string(length)
    this.#pay(costs.binary)
    const begin = this.#take(length)
    return this.#bytes.subarray(begin, begin + length)
  }

  /** Refuses what lies too deep, or claims more values than there are bytes. */
  #enter(values: number, depth: number): void {
    if (depth >= this.#depth) throw new WireError(`values that lie deeper than ${this.#depth} in each other`)
    if (values > this.left) throw new WireError(`an array or map of ${values} values in ${this.left} bytes`)
  }

  #array(length: number, depth: number): unknown[] {
    this.#enter(length, depth)
    this.#pay(costs.array + costs.place * length)
    const array = length === 0 ? [] : new Array<unknown>(length)
    for (let i = 0; i < length; i += 1) array[i] = this.value(depth + 1)
    return array
  }

  #map(length: number, depth: number): unknown {
    this.#enter(2 * length, depth)
    this.#pay(costs.map)
    const map: Record<string, unknown> = {}
    for (let i = 0; i < length; i += 1) {
      const key = this.#key(depth + 1)
      this.#pay(isIndex(key) && Number(key) > i ? costs.farIndex : costs.entry)
      const value = this.value(depth + 1)
      // As an own property: assigning it would change the prototype.
      if (key === '__proto__')
        Object.defineProperty(map, key, { value, configurable: true, enumerable: true, writable: true })
      else map[key] = value
    }
    return this.#onMap(map)
  }

  /**
   * A key of a map, as text. Within a key that is an array there are no such keys: each text in a
   * text doubles its backslashes.
   */
  #key(depth: number): string {
    const begin = this.#pos
    const within = this.#inKey
    this.#inKey = true
    const key = this.value(depth)
    this.#inKey = within
    if (typeof key === 'string') return key
    if (within) throw new WireError('a key that is no text within another key')
    this.#pay(costs.keyText * (this.#pos - begin))
    return typeof key === 'number' || typeof key === 'boolean' ? String(key) : JSON.stringify(key)
  }
}

/** Whether V8 takes a key for the index of an array. */
function isIndex(key: string): boolean {
  return /^(0|[1-9]\d{0,9})$/.test(key)
}
