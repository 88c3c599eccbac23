/** The typed arrays. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array

/** Has every NDArray, also those of another copy of this module: workers have one of their own. */
const brand = Symbol.for('dask-hpc-runner.NDArray')

/**
 * An array of several dimensions, NumPy's in Python. JavaScript functions on the workers get it as one, and may make one: it
 * is there by the name `NDArray`.
 */
export class NDArray<T extends TypedArray = TypedArray> {
  /** The elements, the last dimension fastest. */
  readonly data: T
  readonly shape: readonly number[]

  /** @throws TypeError or RangeError where the shape is none, or not that of so many elements. */
  constructor(data: T, shape: readonly number[]) {
    const lengths: unknown = shape
    if (!ArrayBuffer.isView(data) || data instanceof DataView || !Array.isArray(lengths))
      throw new TypeError('Cannot make an NDArray: write a typed array and an array of lengths')
    if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0))
      throw new RangeError(`Cannot make an array of shape [${shape.join(', ')}]: lengths are whole numbers from 0`)
    const wanted = shape.reduce((product, length) => product * length, 1)
    if (wanted !== data.length)
      throw new RangeError(`Cannot make an array of shape [${shape.join(', ')}] of ${data.length} elements`)
    this.data = data
    this.shape = shape
  }

  static {
    Object.defineProperty(this.prototype, brand, { value: true })
  }

  /** @internal */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== NDArray) return Object.prototype.isPrototypeOf.call(this.prototype, value as object)
    return typeof value === 'object' && value !== null && brand in value
  }
}

/** By the letters of Python's `struct` and `array`. */
const types = {
  b: Int8Array,
  B: Uint8Array,
  h: Int16Array,
  H: Uint16Array,
  i: Int32Array,
  I: Uint32Array,
  f: Float32Array,
  d: Float64Array,
  q: BigInt64Array,
  Q: BigUint64Array,
} as const

/** The letter of a typed array's type. */
export function letterOf(array: TypedArray): string {
  if (array instanceof Uint8ClampedArray) return 'B'
  const found = Object.entries(types).find(([, type]) => array instanceof type)
  if (found === undefined) throw new TypeError(`Cannot name the type of ${Object.prototype.toString.call(array)}`)
  return found[0]
}

/** The bytes of an array as a typed array; where they do not lie as that needs it, in a copy. */
export function typedArrayOf(letter: string, bytes: Uint8Array): TypedArray {
  const type = types[letter as keyof typeof types]
  const size = type.BYTES_PER_ELEMENT
  const whole = bytes.byteOffset === 0 && bytes.buffer.byteLength === bytes.byteLength
  const { buffer } = whole ? bytes : Uint8Array.prototype.slice.call(bytes)
  return new type(buffer as ArrayBuffer, 0, bytes.byteLength / size)
}

/** The bytes under an array, uncopied. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)
}
