import { expect, test, vi } from 'vitest'
import { decodeMessage } from '../../src/dask/codec.ts'
import { WireError } from '../../src/dask/frames.ts'
import { wireLimits } from '../../src/dask/limits.ts'
import { allocated, retained } from './support/heap.ts'

// Much is allocated here, and collected: it takes longer while other tests run.
vi.setConfig({ testTimeout: 60_000 })

/** An array of the items that `item` gives. */
function arrayOf(count: number, item: (i: number) => readonly number[]): Uint8Array {
  const items = Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.from(item(i))))
  const header = Buffer.from([0xdd, 0, 0, 0, 0])
  header.writeUInt32BE(count, 1)
  return Buffer.concat([header, items])
}

/** An array of the same array again and again. */
function repeated(array: Uint8Array, count: number): Uint8Array {
  return Buffer.concat([Buffer.from([0xdc, count >> 8, count & 255]), ...Array.from({ length: count }, () => array)])
}

const u32 = (i: number): number[] => [0xce, ...Buffer.from(Uint32Array.of(i).buffer)]
const text = (value: string): number[] => [0xa0 + value.length, ...Buffer.from(value)]
const double = [0xcb, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a]

/** Items that take much more memory than bytes on the wire. */
const bombs: readonly (readonly [string, (i: number) => readonly number[]])[] = [
  ['empty maps', () => [0x80]],
  ['empty arrays', () => [0x90]],
  ['arrays of arrays', () => [0x91, 0x91, 0x91, 0x90]],
  ['doubles', () => double],
  ['empty binaries', () => [0xc4, 0]],
  ['short texts', (i) => text(`t${i}`)],
  ['texts of two bytes a character', () => [0xaa, ...Buffer.from('Ā'.repeat(5))]],
  ['maps of one new key', (i) => [0x81, ...text(`k${i}`), 1]],
  ['maps of 15 new keys', (i) => [0x8f, ...Array.from({ length: 15 }, (_, k) => [...text(`k${i}-${k}`), 1]).flat()]],
  ['maps of one far index', () => [0x81, 0xcd, 0x03, 0xff, 1]],
  ['maps of one far index as text', () => [0x81, ...text('1023'), 1]],
  [
    'maps of several far indices',
    () => [0x84, ...[1023, 2573, 4900, 7400].flatMap((i) => [0xcd, i >> 8, i & 255, double].flat())],
  ],
  ['maps of huge indices', (i) => [0x81, ...u32(i * 7919), 1]],
  ['maps of small indices', () => [0x82, 0, 1, 1, 1]],
  ['maps in maps', () => [0x81, 0xa1, 0x61, 0x81, 0xa1, 0x62, 0x81, 0xa1, 0x63, 0x80]],
  ['sets', () => [0x82, ...text('__Set__'), 0xc3, ...text('as-list'), 0x91, 1]],
  ['references', () => [0x81, ...text('__Pickled__'), 1]],
  ['keys that are arrays', (i) => [0x81, 0x93, ...u32(i), 0x90, 0xa3, 0, 0, 0, 1]],
]
const frames = (message: Uint8Array): Uint8Array[] => [message, new Uint8Array()]

test.for(bombs)('pays for %s before they are made', ([, item]) => {
  const message = arrayOf(2000, item)
  const decode = (memory: number): unknown => decodeMessage(frames(message), { ...wireLimits, memory })
  const passes = (memory: number): boolean => {
    try {
      return decode(memory) !== undefined
    } catch (error) {
      expect(error).toEqual(new WireError('a message whose values would take too much memory'))
      return false
    }
  }
  let [low, high] = [0, wireLimits.memory]
  while (high - low > high / 200) {
    const middle = (low + high) / 2
    if (passes(middle)) high = middle
    else low = middle
  }
  // The compiler allocates now and then, too; what the values take shows each time.
  let kept = Infinity
  for (let look = 0; look < 20 && kept > high; look += 1)
    kept = Math.min(
      kept,
      retained(() => decode(high)),
    )
  expect(kept).toBeLessThanOrEqual(high)
})

test.for(bombs)('refuses a message full of %s before the memory is taken', ([, item]) => {
  const limits = { ...wireLimits, memory: 32 * 1024 * 1024 }
  const message = repeated(arrayOf(20_000, item), 100)
  const before = allocated()
  expect(() => decodeMessage(frames(message), limits)).toThrow(WireError)
  expect(allocated() - before).toBeLessThan(1.5 * limits.memory)
})

test('does not let keys within keys double their text with each step', () => {
  const steps = 90
  const message = [
    0x81,
    ...Array.from({ length: steps }, () => [0x91, 0x81]).flat(),
    0xa1,
    0x22,
    ...Array.from({ length: steps + 1 }, () => 1),
  ]
  expect(() => decodeMessage([Uint8Array.from(message)])).toThrow('a key that is no text within another key')
})

test('refuses 100 MiB of maps with the default limits, within seconds', () => {
  const message = new Uint8Array(100 * 1024 * 1024).fill(0x80)
  message.set([0xdd, 0x06, 0x3f, 0xff, 0xfb])
  const begin = performance.now()
  const before = allocated()
  expect(() => decodeMessage([message])).toThrow('too much memory')
  expect(allocated() - before).toBeLessThan(1.25 * wireLimits.memory)
  expect(performance.now() - begin).toBeLessThan(20_000)
})
