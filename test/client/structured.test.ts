import { expect, test } from 'vitest'
import { Dependencies, futureNumber } from '../../src/client/values/dependencies.ts'
import { decodeStructured, encodeStructured } from '../../src/client/values/structured.ts'

const future = (number: number): object => ({ [futureNumber]: number })

test('futures anywhere in a value are replaced by what they stand for, numbers and objects', () => {
  const dependencies = new Dependencies()
  const value = [future(7), { a: [future(8), 1] }, new Map([[future(7), future(9)]]), new Set([future(9)])]
  const encoded = encodeStructured(value, 'value', dependencies)
  expect(dependencies.numbers).toEqual([7, 8, 9])
  const object = { an: 'object' }
  expect(decodeStructured(encoded, [1, object, undefined])).toEqual([
    1,
    { a: [object, 1] },
    new Map([[1, undefined]]),
    new Set([undefined]),
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

test('futures are found wherever a clone keeps them, in objects of a class too', () => {
  class Pair {
    readonly future = { [futureNumber]: 7 }
    readonly number = 1
  }
  for (const [value, expected] of [
    [new Pair(), { future: 'result', number: 1 }],
    [new Map([['a', [{ [futureNumber]: 7 }]]]), new Map([['a', ['result']]])],
    [new Set([{ [futureNumber]: 7 }]), new Set(['result'])],
  ]) {
    const dependencies = new Dependencies()
    const encoded = encodeStructured(value, 'value', dependencies)
    expect(dependencies.numbers).toEqual([7])
    expect(decodeStructured(encoded, ['result'])).toEqual(expected)
  }
})

test('what cannot be cloned is named by its place', () => {
  expect(() => encodeStructured({ list: [1, { promise: Promise.resolve() }] })).toThrow(
    'Cannot send value.list[1].promise: it is an instance of Promise; a structured clone has no form of it',
  )
})
