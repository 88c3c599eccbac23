import { Deserializer, Serializer } from 'node:v8'
import { messageOf } from '../../errors.ts'
import { formatKind } from './cannot-send.ts'
import type { Dependencies } from './dependencies.ts'
import { cloned, type Encoded, large } from './encoded.ts'
import { FutureMark, Marks, ShapedMark } from './marks.ts'
import { bytesOf, NDArray, type TypedArray } from './nd-array.ts'

/** The kinds of arrays, by their numbers in a message. */
const views = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  DataView,
  BigInt64Array,
  BigUint64Array,
] as const
/** Beyond them: Node's buffers, whose bytes are in Node's pool. */
const bufferKind = views.length

/** How an array's content follows: in place, beside the message, it stands for a future, or its shape comes before it. */
const inPlace = 0
const beside = 1
const future = 2
const shaped = 3

/** What Node calls and its types do not have. */
interface Hooks {
  _setTreatArrayBufferViewsAsHostObjects?(on: boolean): void
  _readRawBytes?(length: number): number
}

class Writer extends Serializer {
  readonly buffers: Uint8Array[] = []
  readonly _getDataCloneError = TypeError

  constructor() {
    super()
    ;(this as Hooks)._setTreatArrayBufferViewsAsHostObjects?.(true)
  }

  _writeHostObject(view: ArrayBufferView): void {
    if (view instanceof FutureMark) {
      this.writeUint32(future)
      this.writeUint32(view.index)
      return
    }
    if (view instanceof ShapedMark) {
      const { data, shape } = view.array
      this.writeUint32(shaped)
      this.writeUint32(shape.length)
      for (const length of shape) this.writeDouble(length)
      this._writeHostObject(data)
      return
    }
    const kind = Buffer.isBuffer(view) ? bufferKind : views.findIndex((type) => view instanceof type)
    if (kind === -1) throw new TypeError(`${formatKind(view)} could not be cloned`)
    const bytes = bytesOf(view)
    this.writeUint32(bytes.byteLength < large ? inPlace : beside)
    this.writeUint32(kind)
    this.writeUint32(bytes.byteLength < large ? bytes.byteLength : this.buffers.push(bytes) - 1)
    if (bytes.byteLength < large) this.writeRawBytes(bytes)
  }
}

/** Stands for a number, a string and the like, where V8 takes objects only. */
class SharedPlaceholder {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

class StructuredReader extends Deserializer {
  hasPlaceholders = false
  readonly #data: Uint8Array
  readonly #buffers: readonly Uint8Array[]
  readonly #dependencies: readonly unknown[]

  constructor(data: Uint8Array, buffers: readonly Uint8Array[], dependencies: readonly unknown[]) {
    super(data)
    this.#data = data
    this.#buffers = buffers
    this.#dependencies = dependencies
  }

  _readHostObject(): unknown {
    const how = this.readUint32()
    const kind = this.readUint32()
    if (how === future) return this.#dependency(kind)
    if (how === shaped) {
      const shape = Array.from({ length: kind }, () => this.readDouble())
      return new NDArray(this._readHostObject() as TypedArray, shape)
    }
    const bytes = how === inPlace ? this.#copy(this.readUint32()) : (this.#buffers[this.readUint32()] ?? this.#copy(0))
    const buffer = bytes.buffer as ArrayBuffer
    if (kind === bufferKind) return Buffer.from(buffer, bytes.byteOffset, bytes.byteLength)
    const type = views[kind] as (typeof views)[8] | undefined
    if (type === undefined) throw new TypeError(`Cannot read an array of kind ${kind}`)
    const size = 'BYTES_PER_ELEMENT' in type ? type.BYTES_PER_ELEMENT : 1 // a DataView has none
    return new type(buffer, bytes.byteOffset, bytes.byteLength / size)
  }

  #dependency(index: number): unknown {
    const value = this.#dependencies[index]
    if (typeof value === 'object' && value !== null) return value
    this.hasPlaceholders = true
    return new SharedPlaceholder(value)
  }

  /** Aligned, as arrays of larger elements need it. */
  #copy(length: number): Uint8Array {
    const start = (this as Hooks)._readRawBytes?.(length) ?? 0
    return Uint8Array.prototype.slice.call(this.#data, start, start + length)
  }
}

/**
 * A value as the structured clone algorithm copies it. Large arrays are not copied.
 *
 * @param name what the value is called in messages
 * @throws TypeError that names the place of what cannot be cloned.
 */
export function encodeStructured(value: unknown, name = 'value', dependencies?: Dependencies): Encoded {
  const writer = new Writer()
  writer.writeHeader()
  const marked = markedValue(value, name, dependencies)
  try {
    writer.writeValue(marked)
  } catch (error) {
    throw new TypeError(`Cannot send ${name}: ${messageOf(error)}`, { cause: error })
  }
  return { kind: cloned, data: writer.releaseBuffer(), buffers: writer.buffers }
}

function markedValue(value: unknown, name: string, dependencies: Dependencies | undefined): unknown {
  try {
    return new Marks(name, dependencies).mark(value)
  } catch (cause) {
    if (!(cause instanceof RangeError) || !cause.message.startsWith('Maximum call stack')) throw cause
    throw new TypeError(`Cannot send ${name}: it is nested thousands of levels deep; send it in a flatter form`, {
      cause,
    })
  }
}

/** The value that {@link encodeStructured} has written; `dependencies` are the values of its futures. */
export function decodeStructured(
  { data, buffers }: Pick<Encoded, 'data' | 'buffers'>,
  dependencies: readonly unknown[] = [],
): unknown {
  const reader = new StructuredReader(data, buffers, dependencies)
  reader.readHeader()
  const value = reader.readValue() as unknown
  return reader.hasPlaceholders ? fillIn(value, new Set(dependencies.filter(isObject))) : value
}

/** Puts the values where their placeholders are. What has been `seen` is left alone. */
function fillIn(value: unknown, seen: Set<object>): unknown {
  if (value instanceof SharedPlaceholder) return value.value
  if (!isObject(value) || seen.has(value) || ArrayBuffer.isView(value)) return value
  seen.add(value)
  if (value instanceof Map) {
    const items = [...value].map(([key, item]) => [fillIn(key, seen), fillIn(item, seen)] as const)
    value.clear()
    for (const [key, item] of items) value.set(key, item)
  } else if (value instanceof Set) {
    const items = [...value].map((item) => fillIn(item, seen))
    value.clear()
    for (const item of items) value.add(item)
  } else {
    const inside = value as Record<string, unknown>
    for (const [key, item] of Object.entries(inside)) if (isObject(item)) inside[key] = fillIn(item, seen)
  }
  return value
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
