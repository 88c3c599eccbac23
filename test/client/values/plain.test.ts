import { inspect } from 'node:util'
import { expect, test, vi } from 'vitest'
import { Dependencies, futureNumber } from '../../../src/client/values/dependencies.ts'
import { NDArray } from '../../../src/client/values/nd-array.ts'
import { decodePlain, encodeCall, encodePlain } from '../../../src/client/values/plain.ts'
import { encodeStructured } from '../../../src/client/values/structured.ts'

for (const value of [
  ...[0, -1, 0.1, 2 ** 53 - 1, -(2 ** 53 - 1), 1e300, Number.NaN, '', 'é\u{1F600}', true, null],
  ...[0n, 1n, -1n, 127n, 128n, -128n, -129n, 255n, 2n ** 64n, -(2n ** 200n)],
  [[1, [2]], { a: { b: null } }],
  [new Date(0), new Set([1, 'a']), new Map<unknown, unknown>([[1, new Map([['a', 1]])]])],
  [new Float32Array([1, 2]), new BigInt64Array([1n]), new Uint8Array(5000), Buffer.from('x'), Buffer.alloc(5000)],
  new NDArray(new Int32Array(6), [3, 2]),
])
  test(`${inspect(value, { breakLength: Infinity }).slice(0, 40)} comes back as it was`, () => {
    expect(decodePlain(encodePlain(value))).toEqual(value)
  })

test('a BigInt of two million bits takes no longer than a moment', () => {
  for (const value of [1n << 2_000_000n, -(1n << 2_000_000n), (1n << 2_000_000n) - 1n])
    expect(decodePlain(encodePlain(value)) === value).toBe(true)
})

test('what is written as it is, is not copied before', () => {
  const array = [1, { a: ['b'], c: null, d: undefined }]
  const copies = [vi.spyOn(Object, 'fromEntries'), vi.spyOn(array, 'slice'), vi.spyOn(array, 'map')]
  const encoded = encodePlain(array)
  for (const copy of copies) expect(copy).not.toHaveBeenCalled()
  expect(decodePlain(encoded)).toEqual([1, { a: ['b'], c: null, d: null }])
  const changed = JSON.parse('[{"a":1,"__proto__":{"b":[0]}}]') as [{ __proto__: { b: unknown[] } }]
  changed[0].__proto__.b[0] = 1n
  expect(() => decodePlain(encodePlain(changed))).toThrow('__proto__')
  expect(changed[0].__proto__.b).toEqual([1n])
})

test('undefined is null, in objects and arrays too', () => {
  expect(decodePlain(encodePlain([undefined, { a: undefined }]))).toEqual([null, { a: null }])
})

test('what is large travels beside the message, uncopied', () => {
  const array = new Float64Array(1000)
  const { data, buffers } = encodePlain([array, array.subarray(0, 2)])
  expect(buffers.map(({ buffer }) => buffer)).toEqual([array.buffer])
  expect(data.length).toBeLessThan(100)
})

test('futures are counted once each, in arguments and keyword arguments', () => {
  class Future {
    readonly [futureNumber]: number

    constructor(number: number) {
      this[futureNumber] = number
    }
  }
  const future = new Future(5)
  const dependencies = new Dependencies()
  encodeCall([future, [future]], { x: new Future(6) }, dependencies)
  expect(dependencies.numbers).toEqual([5, 6])
})

test('what Python has no form of is named by its place', () => {
  expect(() => encodePlain({ 'a b': [Symbol('x')] })).toThrow('Cannot send value["a b"][0]: it is a symbol')
  expect(() => encodePlain([new WeakMap()], 'arguments')).toThrow('arguments[0]: it is an instance of WeakMap')
  expect(() => encodePlain(new DataView(new ArrayBuffer(1)))).toThrow('it is an instance of DataView')
  expect(() => new NDArray(new Int8Array(5), [2, 3])).toThrow('Cannot make an array of shape [2, 3] of 5 elements')
})

test('half of a surrogate pair is named by its place', () => {
  expect(() => encodePlain({ a: ['b', '\ud800'] })).toThrow(
    'Cannot send value.a[1]: it is a string with half of a surrogate pair; UTF-8, which Python reads, has no form of it',
  )
  expect(() => encodePlain({ a: { ['\ud800']: 1 } })).toThrow(
    'Cannot send value.a: it is an object with half of a surrogate pair in a key; UTF-8',
  )
})

test('an invalid Date is named by its place', () => {
  expect(() => encodePlain([new Date(Number.NaN)])).toThrow('Cannot send value[0]: it is an invalid Date')
})

test('a Date that Python has not is named by its place', () => {
  for (const text of ['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'])
    expect(decodePlain(encodePlain(new Date(text)))).toEqual(new Date(text))
  for (const [outside, text] of [
    [Date.parse('0001-01-01T00:00:00.000Z') - 1, '0000-12-31T23:59:59.999Z'],
    [Date.parse('9999-12-31T23:59:59.999Z') + 1, '+010000-01-01T00:00:00.000Z'],
  ] as const)
    expect(() => encodePlain([new Date(outside)])).toThrow(
      `Cannot send value[0]: it is the Date ${text}; Python's years are 1 to 9999`,
    )
})

test('what Python cannot hash is named by its place in a Set or a Map', () => {
  for (const value of [[1], { a: 1 }, new Map(), new Set(), new Uint8Array(2), new NDArray(new Int8Array(2), [2])])
    for (const holder of [
      new Set([1, value]),
      new Map<unknown, unknown>([
        [1, 1],
        [value, 1],
      ]),
    ])
      expect(() => encodePlain({ holder })).toThrow(/^Cannot send value\.holder\[1\]: it is .*; Python cannot hash it$/)
  const map = new Map<unknown, unknown>([[Buffer.from('x'), [1]]])
  expect(decodePlain(encodePlain(map))).toEqual(map)
})

test('what neither form has is named by its place, in both', () => {
  const view = new Float64Array(10)
  structuredClone(view, { transfer: [view.buffer] })
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  class Client {
    readonly schedulerAddress = 'tcp://a:1'
    readonly [Symbol.asyncDispose] = (): Promise<void> => Promise.resolve()
  }
  const passed = (function (..._: number[]) {
    // eslint-disable-next-line prefer-rest-params
    return arguments
  })(1, 2)
  for (const [value, message] of [
    [view, 'value.a[1]: it is an instance of Float64Array whose memory was transferred; send a copy made before that'],
    [view.buffer, 'value.a[1]: it is an instance of ArrayBuffer whose memory was transferred'],
    [proxy, 'value.a[1]: it is a Proxy that was revoked; send what it stood for'],
    [passed, 'value.a[1]: it is the arguments object of a function; send [...arguments]'],
    [new Client(), 'value.a[1]: it is an instance of Client; it holds what is open in this process'],
  ] as const)
    for (const encode of [encodePlain, encodeStructured])
      expect(() => encode({ a: [1, value] })).toThrow(`Cannot send ${message}`)
  const array = new NDArray(new Int8Array(2), [2])
  structuredClone(array.data, { transfer: [array.data.buffer] })
  for (const encode of [encodePlain, encodeStructured])
    expect(() => encode([array])).toThrow('Cannot send value[0].data: it is an instance of Int8Array whose memory')
})
