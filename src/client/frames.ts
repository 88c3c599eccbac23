import { Decoder, Encoder } from '@msgpack/msgpack'

/** A message: a header, and buffers that travel beside it. */
export interface Frame {
  readonly header: unknown
  readonly buffers: readonly Uint8Array[]
}

const encoder = new Encoder({ ignoreUndefined: true })
const decoder = new Decoder({ mapKeyConverter: (key) => (typeof key === 'number' ? key : String(key)) })

/** Begins each message: whatever a task writes into one of its file descriptors may come between them. */
const mark = 0xda_5c_f0_0d

/**
 * The bytes of a message, in pieces: buffers are not copied.
 *
 * `u32 mark | u32 length of the header | u32 number of buffers | u64 length of each buffer | header | buffers`,
 * little-endian; the header is msgpack, without properties that are undefined. (src/python/tasks-values.py has the other end.)
 */
export function packFrame({ header, buffers }: Frame): Uint8Array[] {
  const data = encoder.encodeSharedRef(header)
  const start = Buffer.allocUnsafe(numbersSize + 8 * buffers.length + data.length)
  start.writeUInt32LE(mark, 0)
  start.writeUInt32LE(data.length, 4)
  start.writeUInt32LE(buffers.length, 8)
  for (const [i, buffer] of buffers.entries()) start.writeBigUInt64LE(BigInt(buffer.byteLength), numbersSize + 8 * i)
  start.set(data, numbersSize + 8 * buffers.length)
  return [start, ...buffers]
}

/** Mark, length of the header and number of buffers. */
const numbersSize = 12

/** Reads messages without end: asks for so many bytes, and is given them. */
function* readFrames(onFrame: (frame: Frame) => void): Generator<number, never, Buffer> {
  for (;;) {
    const numbers = yield numbersSize
    if (numbers.readUInt32LE(0) !== mark) throw new Error('something else than a message has come')
    const lengths = yield 8 * numbers.readUInt32LE(8)
    const header = yield numbers.readUInt32LE(4)
    const buffers: Uint8Array[] = []
    for (let i = 0; i < lengths.length; i += 8) buffers.push(yield Number(lengths.readBigUInt64LE(i)))
    onFrame({ header: decoder.decode(header), buffers })
  }
}

/** Puts messages together again from the chunks of a stream. Each buffer gets memory of its own, and is copied once. */
export class HelperFrameReader {
  readonly #frames: Generator<number, never, Buffer>
  #target: Buffer
  #filled = 0

  constructor(onFrame: (frame: Frame) => void) {
    this.#frames = readFrames(onFrame)
    this.#target = Buffer.alloc(this.#frames.next().value)
  }

  /** @throws Error where something comes that is no message: nothing can be read after it. */
  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      const taken = Math.min(chunk.length - at, this.#target.length - this.#filled)
      this.#target.set(chunk.subarray(at, at + taken), this.#filled)
      at += taken
      this.#filled += taken
      while (this.#filled === this.#target.length) {
        // Not of Node's pool: who gets a buffer gets all of its memory.
        this.#target = Buffer.allocUnsafeSlow(this.#frames.next(this.#target).value)
        this.#filled = 0
      }
    }
  }
}
