import { encode } from '@msgpack/msgpack'
import { encodeFrames, WireError } from './frames.ts'
import { type WireLimits, wireLimits } from './limits.ts'
import { decodeMsgpack } from './msgpack.ts'

/** Something that only Python can read, as it lies in a message: `Serialize` or `ToPickle` of Dask. */
export class Opaque {
  readonly kind: 'serialized' | 'pickled'
  /** Index of its header among the frames of the message. */
  readonly frame: number

  constructor(kind: 'serialized' | 'pickled', frame: number) {
    this.kind = kind
    this.frame = frame
  }
}

/** The bytes of one message of Dask, for plain values: what msgpack has. Keys of value `undefined` are left out. */
export function encodeMessage(message: unknown): Uint8Array {
  return encodeFrames([encode(message, { ignoreUndefined: true })])
}

/**
 * The value of a message: its first frame is msgpack, without extension types. Markers become a Set,
 * the name of an enum's member, or an {@link Opaque}; map keys that are no strings become JSON text.
 *
 * @throws WireError where the frames are no message of Dask, or one beyond the limits.
 */
export function decodeMessage(frames: readonly Uint8Array[], limits: WireLimits = wireLimits): unknown {
  const [first] = frames
  if (first === undefined) throw new WireError('a message without frames')
  return decodeMsgpack(first, limits, (map) => withoutMarker(map, frames.length))
}

/**
 * What a map stands for: `{"__Set__": true, "as-list": […]}`, `{"__Enum__": true, "name": …, …}`,
 * `{"__Serialized__": frame}`, `{"__Pickled__": frame}`, or itself.
 */
function withoutMarker(map: Readonly<Record<string, unknown>>, frames: number): unknown {
  if ('__Serialized__' in map) return new Opaque('serialized', indexOf(map.__Serialized__, frames))
  if ('__Pickled__' in map) return new Opaque('pickled', indexOf(map.__Pickled__, frames))
  const list = map['as-list']
  if (map.__Set__ === true && Array.isArray(list)) return new Set<unknown>(list)
  if (map.__Enum__ === true && typeof map.name === 'string') return map.name
  return map
}

function indexOf(frame: unknown, frames: number): number {
  if (typeof frame === 'number' && Number.isInteger(frame) && frame > 0 && frame < frames) return frame
  throw new WireError(`a reference to a frame that is none of its ${frames}`)
}
