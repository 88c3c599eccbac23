import { syncBuiltinESMExports } from 'node:module'
import v8 from 'node:v8'
import { expect, test, vi } from 'vitest'
import { Dependencies, futureNumber } from '../../../src/client/values/dependencies.ts'
import { NDArray } from '../../../src/client/values/nd-array.ts'
import { decodeStructured, encodeStructured } from '../../../src/client/values/structured.ts'

const future = (number: number): object => ({ [futureNumber]: number })

test('futures anywhere in a value are replaced by what they stand for, in objects of a class too', () => {
  class Pair {
    readonly [Symbol.toStringTag] = 'Pair'
    readonly future = future(8)
  }
  const dependencies = new Dependencies()
  const value = [
    ...[future(7), { a: [future(8), 1] }, new Map([[future(7), [future(9)]]]), new Set([future(9)]), new Pair()],
  ]
  const encoded = encodeStructured(value, 'value', dependencies)
  expect(dependencies.numbers).toEqual([7, 8, 9])
  const object = { an: 'object' }
  expect(decodeStructured(encoded, [1, object, undefined])).toEqual([
    1,
    { a: [object, 1] },
    new Map([[1, [undefined]]]),
    new Set([undefined]),
    { future: object },
  ])
})

test('a value without futures is not copied before it is written', () => {
  const inner = {
    get once(): number {
      return ++reads
    },
  }
  let reads = 0
  encodeStructured({ inner }, 'value', new Dependencies())
  expect(reads).toBeLessThanOrEqual(2)
})

test('large arrays travel beside the message, uncopied; each kind comes back as it was', () => {
  const array = new Float64Array(1000).fill(0.5)
  const encoded = encodeStructured({
    array,
    part: array.subarray(1, 3),
    buffer: Buffer.from('b'),
    big: new BigUint64Array(2),
  })
  expect(encoded.buffers).toHaveLength(1)
  expect(encoded.buffers[0]?.buffer).toBe(array.buffer)
  expect(decodeStructured(encoded)).toEqual({
    array,
    part: new Float64Array([0.5, 0.5]),
    buffer: Buffer.from('b'),
    big: new BigUint64Array(2),
  })
})

test('what cannot be cloned is named by its place', () => {
  expect(() => encodeStructured({ list: [1, { promise: Promise.resolve() }] })).toThrow(
    'Cannot send value.list[1].promise: it is an instance of Promise; a structured clone has no form of it',
  )
  expect(() => encodeStructured([[new Map([['key', [Symbol('s')]]])]], 'arguments')).toThrow(
    'Cannot send arguments[0][0][0][0]: it is a symbol; a structured clone has no form of it',
  )
  // Whatever its class calls itself.
  class Tagged {
    readonly [Symbol.toStringTag] = 'Tagged'
    readonly method = (): number => 1
  }
  expect(() => encodeStructured([new Tagged()])).toThrow('Cannot send value[0].method: it is the function "method"')
  expect(() => encodeStructured([{ format: new Intl.NumberFormat('de') }], 'arguments')).toThrow(
    'Cannot send arguments[0].format: it is an instance of NumberFormat; a structured clone has no form of it',
  )
})

test('arrays of several dimensions are such again, wherever they are, and of any copy of this module', async () => {
  const small = new NDArray(new Float32Array([1, 2, 3, 4, 5, 6]), [3, 2])
  const large = new NDArray(new BigInt64Array(1000).fill(7n), [10, 100])
  const value = { small, list: [large, small], map: new Map([['empty', new NDArray(new Int8Array(), [0, 3])]]) }
  const encoded = encodeStructured(value)
  expect(encoded.buffers).toHaveLength(1)
  const back = decodeStructured(encoded) as typeof value
  expect(back).toEqual(value)
  expect(back.small).toBeInstanceOf(NDArray)
  expect(back.list[1]).toBe(back.small)
  vi.resetModules()
  const other = await import('../../../src/client/values/nd-array.ts')
  expect(other.NDArray).not.toBe(NDArray)
  expect(new other.NDArray(new Int8Array(2), [1, 2])).toBeInstanceOf(NDArray)
  expect(decodeStructured(encodeStructured(new other.NDArray(new Int8Array(2), [1, 2])))).toBeInstanceOf(NDArray)
  expect({ data: new Int8Array(1), shape: [1] }).not.toBeInstanceOf(NDArray)
})

test('nothing is cloned twice to see whether a Date would be empty', () => {
  const serialized = vi.spyOn(v8, 'serialize')
  syncBuiltinESMExports()
  encodeStructured(Array.from({ length: 10 }, () => new Date()))
  expect(serialized).not.toHaveBeenCalled()
  vi.restoreAllMocks()
  syncBuiltinESMExports()
})

test('what a clone would make {} of is named by its place', () => {
  class Hidden {
    readonly #x = 1
    get x(): number {
      return this.#x
    }
  }
  const words = '; a structured clone would make {} of it: send the plain data in it'
  expect(() => encodeStructured({ list: [1, new URL('http://a')] })).toThrow(
    `Cannot send value.list[1]: it is an instance of URL${words}`,
  )
  expect(() => encodeStructured(new Map([['a', new Hidden()]]))).toThrow(`it is an instance of Hidden${words}`)
  const whole = [new Date(0), /a/, new RangeError('b'), Object.create(null), {}, new ArrayBuffer(0), [], new Set()]
  expect(decodeStructured(encodeStructured(whole))).toEqual(whole)
})

test('a future in the cause of an Error, which would be lost, is refused; any other cause stays', () => {
  const advice = 'a clone of an Error does not keep the future or NDArray in its cause; send that beside it'
  for (const cause of [future(1), { list: [future(1)] }, new Error('within', { cause: future(1) })])
    expect(() => encodeStructured([new Error('x', { cause })], 'arguments', new Dependencies())).toThrow(advice)
  const error = new Error('x', { cause: new Error('y', { cause: { a: 1 } }) })
  expect(decodeStructured(encodeStructured(error))).toEqual(error)
  expect(() => encodeStructured(new Error('x', { cause: { url: new URL('http://a') } }))).toThrow(
    'Cannot send value.cause.url: it is an instance of URL',
  )
})

test('a Proxy is named by its place', () => {
  expect(() => encodeStructured({ a: new Proxy({}, {}) })).toThrow('Cannot send value.a: it is a Proxy; a structured')
})

test('what is nested too deep for a clone is refused in a sentence', () => {
  let deep: unknown = 1
  for (let i = 0; i < 50_000; i++) deep = [deep]
  expect(() => encodeStructured(deep)).toThrow('Cannot send value: it is nested thousands of levels deep; send it')
})
