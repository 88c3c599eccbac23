import { decodeMessage } from '../../../src/dask/codec.ts'
import { encodeFrames, FrameReader, WireError } from '../../../src/dask/frames.ts'
import type { WireLimits } from '../../../src/dask/limits.ts'
import { allocated } from './heap.ts'
import { mutate, mutateHeader } from './mutate.ts'
import { Random } from './random.ts'

/** What a fuzz has seen. */
export interface FuzzReport {
  /** Messages that were decoded, that were refused, and streams that ended within a message. */
  readonly decoded: number
  readonly refused: number
  readonly unfinished: number
  /** Most bytes that decoding one stream has allocated, and the longest that it took, in milliseconds. */
  readonly mostBytes: number
  readonly longest: number
  /** In milliseconds. */
  readonly took: number
}

/** Small, so that the bounds are met: `mostBytes` is to be compared with `memory`. */
export const fuzzLimits: WireLimits = { messageBytes: 65_536, frames: 100, depth: 20, memory: 131_072 }

/**
 * Decodes `count` streams that differ a little from one of the `messages`, in pieces.
 *
 * @throws whatever the decoder throws besides WireError, with the bytes that made it do so.
 */
export function fuzz(messages: readonly Buffer[], { count, seed }: { count: number; seed: number }): FuzzReport {
  const random = new Random(seed)
  const report = { decoded: 0, refused: 0, unfinished: 0, mostBytes: 0, longest: 0, took: 0 }
  const begin = performance.now()
  for (let i = 0; i < count; i += 1) {
    const stream = oneStream(messages, random)
    const pieces = Array.from({ length: random.below(3) }, () => random.below(stream.length + 1)).sort((a, b) => a - b)
    const first = decodeStream(stream, pieces)
    let { bytes, took } = first
    // What allocated more may have been the compiler: look again before it counts.
    for (let again = 0; again < 3 && (bytes > report.mostBytes || took > report.longest); again += 1) {
      const second = decodeStream(stream, pieces)
      bytes = Math.min(bytes, second.bytes)
      took = Math.min(took, second.took)
    }
    report.mostBytes = Math.max(report.mostBytes, bytes)
    report.longest = Math.max(report.longest, took)
    report[first.outcome] += 1
  }
  return { ...report, took: performance.now() - begin }
}

function oneStream(messages: readonly Buffer[], random: Random): Buffer {
  const [message, other] = [random.of(messages), random.of(messages)]
  switch (random.below(4)) {
    case 0:
      return mutateHeader(message, random)
    case 1:
      return mutate(message, random, other)
    default: {
      // The header stays right, so that what lies in the frames is looked at.
      const frames = new FrameReader().push(message)[0] ?? []
      return Buffer.from(encodeFrames(frames.map((frame) => mutate(Buffer.from(frame), random, other))))
    }
  }
}

function decodeStream(
  stream: Buffer,
  pieces: readonly number[],
): { outcome: 'decoded' | 'refused' | 'unfinished'; bytes: number; took: number } {
  const reader = new FrameReader(fuzzLimits)
  let outcome: 'decoded' | 'refused' | 'unfinished' = 'unfinished'
  const before = allocated()
  const begin = performance.now()
  try {
    for (const [i, from] of [0, ...pieces].entries())
      for (const frames of reader.push(stream.subarray(from, pieces[i]))) {
        decodeMessage(frames, fuzzLimits)
        outcome = 'decoded'
      }
  } catch (error) {
    if (!(error instanceof WireError))
      throw new Error(`Not a WireError, from ${stream.toString('hex')}`, { cause: error })
    outcome = 'refused'
  }
  return { outcome, bytes: allocated() - before, took: performance.now() - begin }
}
