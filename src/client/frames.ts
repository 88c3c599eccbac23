import { Decoder, Encoder } from '@msgpack/msgpack'

/** A message: a header, and buffers that travel beside it. */
export interface Frame {
  readonly header: unknown
  readonly buffers: readonly Uint8Array[]
}

const encoder = new Encoder()
const decoder = new Decoder({ mapKeyConverter: (key) => (typeof key === 'number' ? key : String(key)) })

/**
 * The bytes of a message, in pieces: buffers are not copied.
 *
 * `u32 length of the header | u32 number of buffers | u64 length of each buffer | header | buffers`,
 * little-endian; the header is msgpack. (src/python/tasks-values.py has the other end.)
 */
export function packFrame({ header, buffers }: Frame): Uint8Array[] {
  const data = encoder.encodeSharedRef(header)
  const start = Buffer.allocUnsafe(8 + 8 * buffers.length + data.length)
  start.writeUInt32LE(data.length, 0)
  start.writeUInt32LE(buffers.length, 4)
  for (const [i, buffer] of buffers.entries()) start.writeBigUInt64LE(BigInt(buffer.byteLength), 8 + 8 * i)
  start.set(data, 8 + 8 * buffers.length)
  return [start, ...buffers]
}

/** Puts messages together again from the chunks of a stream. Each buffer gets memory of its own, and is copied once. */
export class HelperFrameReader {
  readonly #onFrame: (frame: Frame) => void
  /** What is being read: the two numbers, the lengths, then the header and the buffers. */
  #part: 'numbers' | 'lengths' | 'body' = 'numbers'
  #target = Buffer.alloc(8)
  #filled = 0
  #lengths: number[] = []
  #parts: Uint8Array[] = []

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame
  }

  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      const taken = Math.min(chunk.length - at, this.#target.length - this.#filled)
      this.#target.set(chunk.subarray(at, at + taken), this.#filled)
      at += taken
      this.#filled += taken
      while (this.#filled === this.#target.length) this.#next()
    }
  }

  #next(): void {
    const read = this.#target
    switch (this.#part) {
      case 'numbers':
        this.#lengths = [read.readUInt32LE(0)]
        this.#part = 'lengths'
        this.#read(8 * read.readUInt32LE(4))
        return
      case 'lengths':
        for (let i = 0; i < read.length; i += 8) this.#lengths.push(Number(read.readBigUInt64LE(i)))
        this.#part = 'body'
        break
      case 'body':
        this.#parts.push(read)
        break
    }
    const length = this.#lengths[this.#parts.length]
    if (length !== undefined) {
      this.#read(length)
      return
    }
    const [header = new Uint8Array(), ...buffers] = this.#parts
    this.#parts = []
    this.#part = 'numbers'
    this.#read(8)
    this.#onFrame({ header: decoder.decode(header), buffers })
  }

  #read(length: number): void {
    // Not of Node's pool: who gets a buffer gets all of its memory.
    this.#target = Buffer.allocUnsafeSlow(length)
    this.#filled = 0
  }
}
