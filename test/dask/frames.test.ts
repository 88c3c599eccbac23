import { describe, expect, it } from 'vitest'
import { encodeFrames, FrameReader, WireError } from '../../src/dask/frames.ts'
import { recordedExchange } from './support/recorded.ts'

const limits = { messageBytes: 1000, frames: 5, depth: 8, memory: 10_000 }
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
/** A header that claims what it likes. */
const header = (...numbers: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(numbers).buffer)

function pushAll(reader: FrameReader, stream: Uint8Array, size: number): number[][][] {
  const messages: number[][][] = []
  for (let at = 0; at < stream.length; at += size)
    for (const frames of reader.push(stream.subarray(at, at + size))) messages.push(frames.map((frame) => [...frame]))
  return messages
}

describe('encodeFrames', () => {
  it('counts all that follows N, in little-endian', () => {
    expect(Buffer.from(encodeFrames([bytes(1, 2, 3), bytes()])).toString('hex')).toBe(
      ['1b', '02', '03', '00'].map((byte) => byte.padEnd(16, '0')).join('') + '010203',
    )
  })
})

describe('FrameReader', () => {
  const messages = [[bytes(1, 2, 3)], [bytes(), bytes(4)], [bytes()], [bytes(5), bytes(6, 7), bytes(), bytes(8)], []]
  const stream = Buffer.concat(messages.map(encodeFrames))
  const expected = messages.map((frames) => frames.map((frame) => [...frame]))

  it('cuts a stream into the same messages, whatever the size of the pieces', () => {
    for (let size = 1; size <= stream.length; size += 1)
      expect(pushAll(new FrameReader(limits), stream, size), `pieces of ${size}`).toEqual(expected)
  })

  it('reads the recorded exchange', () => {
    for (const { bytes: message } of recordedExchange()) {
      const [frames, ...more] = new FrameReader().push(message)
      expect(more).toEqual([])
      expect(Buffer.from(encodeFrames(frames ?? []))).toEqual(message)
    }
  })

  it('does not change a message that it has given when more arrives', () => {
    const reader = new FrameReader(limits)
    const [first = new Uint8Array(), second = new Uint8Array()] = messages.slice(0, 2).map(encodeFrames)
    reader.push(first.subarray(0, 20))
    const [frames = []] = reader.push(Buffer.concat([first.subarray(20), second.subarray(0, 9)]))
    reader.push(second.subarray(9))
    expect(frames.map((frame) => [...frame])).toEqual([[1, 2, 3]])
  })

  it('does not mind an N that is too small or too large', () => {
    for (const n of [0n, 8n, 17n, 1000n])
      expect(pushAll(new FrameReader(limits), Buffer.concat([header(n, 1n, 2n), bytes(1, 2)]), 7)).toEqual([[[1, 2]]])
  })

  it('takes a message of just the limits and none beyond', () => {
    const frames = Array.from({ length: 5 }, () => new Uint8Array(200))
    expect(
      new FrameReader(limits).push(Buffer.concat([header(0n, 5n, 200n, 200n, 200n, 200n, 200n), ...frames])),
    ).toEqual([frames.map((frame) => Buffer.from(frame))])
    for (const [refused, why] of [
      [header(1001n), 'a message length of 1001, more than 1000'],
      [header(2n ** 63n), 'a message length of 9223372036854775808, more than 1000'],
      [header(2n ** 64n - 1n), 'a message length of 18446744073709551615, more than 1000'],
      [header(0n, 6n), 'a number of frames of 6, more than 5'],
      [header(0n, 2n ** 63n), 'a number of frames of 9223372036854775808, more than 5'],
      [header(0n, 1n, 1001n), 'a frame length of 1001, more than 1000'],
      [header(0n, 2n, 600n, 401n), 'a frame length of 401, more than 400'],
      [header(0n, 2n, 1n, 2n ** 64n - 1n), 'a frame length of 18446744073709551615, more than 999'],
    ] as const)
      expect(() => new FrameReader(limits).push(refused), why).toThrow(new WireError(why))
  })

  it('refuses a length as soon as its bytes are there', () => {
    const reader = new FrameReader(limits)
    const refused = header(2n ** 63n)
    for (const byte of refused.subarray(0, 7)) expect(reader.push(bytes(byte))).toEqual([])
    expect(() => reader.push(refused.subarray(7))).toThrow(WireError)
  })

  it('reads 2 MiB byte by byte, and 65,536 frames in small pieces, in linear time', { timeout: 30_000 }, () => {
    const large = encodeFrames([new Uint8Array(2 * 1024 * 1024)])
    const many = encodeFrames(Array.from({ length: 65_536 }, () => bytes(1)))
    const begin = performance.now()
    expect(count(large, 1)).toBe(1)
    expect(count(many, 2)).toBe(1)
    // Each takes less than a second; in quadratic time they take minutes.
    expect(performance.now() - begin).toBeLessThan(20_000)

    function count(all: Uint8Array, size: number): number {
      const reader = new FrameReader()
      let messages = 0
      for (let at = 0; at < all.length; at += size) messages += reader.push(all.subarray(at, at + size)).length
      return messages
    }
  })

  it('allocates twice of what has arrived at most, whatever the header claims', () => {
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 50 }, () => {
      const reader = new FrameReader()
      reader.push(header(100_000_000n, 1n, 100_000_000n))
      for (let i = 0; i < 10; i += 1) reader.push(new Uint8Array(1000))
      return reader
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(readers.length * 100_000)
    expect(readers[0]?.push(bytes(1))).toEqual([])
  })
})
