import { expect, test } from 'vitest'
import { type Frame, HelperFrameReader, packFrame } from '../../src/client/frames.ts'

const messages: Frame[] = [
  { header: { order: 'close', id: 1 }, buffers: [] },
  { header: { a: [1, 'text', null] }, buffers: [new Uint8Array(0), new Uint8Array(100_000).fill(7)] },
  { header: null, buffers: [new Uint8Array(3)] },
]

for (const size of [1, 7, 65_536, 1_000_000])
  test(`messages in chunks of ${size} bytes are read as they were packed`, () => {
    const bytes = Buffer.concat(messages.flatMap(packFrame))
    const read: Frame[] = []
    const reader = new HelperFrameReader((frame) => read.push(frame))
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    expect(read.map(({ header }) => header)).toEqual(messages.map(({ header }) => header))
    expect(read.map(({ buffers }) => buffers.map((buffer) => Buffer.from(buffer)))).toEqual(
      messages.map(({ buffers }) => buffers.map((buffer) => Buffer.from(buffer))),
    )
  })

test('a buffer is packed uncopied, and read into memory of its own', () => {
  const buffer = new Uint8Array(10)
  expect(packFrame({ header: 1, buffers: [buffer] })[1]).toBe(buffer)
  const read: Frame[] = []
  const reader = new HelperFrameReader((frame) => read.push(frame))
  reader.push(Buffer.concat(packFrame({ header: 1, buffers: [buffer] })))
  expect(read[0]?.buffers[0]?.buffer.byteLength).toBe(10)
})

test('what is no message is noticed at its first bytes', () => {
  const reader = new HelperFrameReader(() => undefined)
  for (const bytes of messages.map(packFrame)) reader.push(Buffer.concat(bytes))
  expect(() => {
    reader.push(Buffer.from('12 bytes of..'))
  }).toThrow('something else than a message has come')
})
