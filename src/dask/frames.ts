import { type WireLimits, wireLimits } from './limits.ts'

/**
 * Dask's framing of a message over TCP, little-endian:
 *
 *     u64 N | u64 number of frames | u64 length of each frame | the frames
 *
 * N counts what follows it. Readers ignore it: since Dask 2023.11 it may be less.
 */

/** Thrown for bytes that are no message of Dask, or one beyond the limits; its text completes "it sent". */
export class WireError extends Error {
  override readonly name = 'WireError'
}

/** The bytes of a message that consists of `frames`. */
export function encodeFrames(frames: readonly Uint8Array[]): Uint8Array {
  const header = Buffer.alloc(16 + 8 * frames.length)
  const payload = frames.reduce((sum, { length }) => sum + length, 0)
  header.writeBigUInt64LE(BigInt(8 + 8 * frames.length + payload), 0)
  header.writeBigUInt64LE(BigInt(frames.length), 8)
  for (const [i, { length }] of frames.entries()) header.writeBigUInt64LE(BigInt(length), 16 + 8 * i)
  return Buffer.concat([header, ...frames])
}

/** Where the frames of a message lie, once its header is there. */
interface FrameLayout {
  readonly lengths: readonly number[]
  /** Length of header and frames together. */
  readonly whole: number
}

/**
 * Cuts a stream of bytes into messages. It allocates at most twice of what has arrived, whatever a
 * header claims, and looks at each byte once, however small the pieces are in which they arrive.
 */
export class FrameReader {
  /** May be widened once the peer is known. */
  limits: WireLimits
  /** Begins with the {@link #held} bytes of the unfinished message; what follows them is room. */
  #store: Uint8Array = new Uint8Array()
  #held = 0
  #layout: FrameLayout | undefined

  constructor(limits: WireLimits = wireLimits) {
    this.limits = limits
  }

  /**
   * Takes in what has arrived and gives the messages that are complete, each as its frames.
   *
   * @throws WireError where that is no message of Dask, or one beyond the limits.
   */
  push(chunk: Uint8Array): (readonly Uint8Array[])[] {
    const messages: (readonly Uint8Array[])[] = []
    let bytes = this.#append(chunk)
    for (;;) {
      this.#layout ??= readHeader(bytes, this.limits)
      if (this.#layout === undefined || bytes.length < this.#layout.whole) break
      messages.push(cut(bytes, this.#layout))
      bytes = bytes.subarray(this.#layout.whole)
      this.#layout = undefined
    }
    // The frames of a message lie in the old store, which is theirs from now on.
    if (messages.length > 0) this.#store = bytes
    this.#held = bytes.length
    return messages
  }

  /** What is held, and `chunk` behind it. */
  #append(chunk: Uint8Array): Uint8Array {
    const held = this.#held
    if (held === 0) {
      this.#store = chunk
      return chunk
    }
    const length = held + chunk.length
    if (length > this.#store.length) {
      const roomier = new Uint8Array(Math.max(length, Math.min(2 * held, this.#layout?.whole ?? 2 * held)))
      roomier.set(this.#store.subarray(0, held))
      this.#store = roomier
    }
    this.#store.set(chunk, held)
    return this.#store.subarray(0, length)
  }
}

function readHeader(bytes: Uint8Array, limits: WireLimits): FrameLayout | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read = (offset: number, limit: number, what: string): number => {
    const value = view.getBigUint64(offset, true)
    if (value > BigInt(limit)) throw new WireError(`a ${what} of ${value}, more than ${limit}`)
    return Number(value)
  }
  if (bytes.length < 8) return undefined
  read(0, limits.messageBytes, 'message length')
  if (bytes.length < 16) return undefined
  const header = 16 + 8 * read(8, limits.frames, 'number of frames')
  if (bytes.length < header) return undefined
  const lengths: number[] = []
  let whole = header
  for (let offset = 16; offset < header; offset += 8) {
    lengths.push(read(offset, limits.messageBytes - (whole - header), 'frame length'))
    whole += lengths.at(-1) ?? 0
  }
  return { lengths, whole }
}

function cut(bytes: Uint8Array, { lengths, whole }: FrameLayout): readonly Uint8Array[] {
  let end = whole - lengths.reduce((sum, length) => sum + length, 0)
  return lengths.map((length) => bytes.subarray(end, (end += length)))
}
