import { encode } from '@msgpack/msgpack'
import { encodeFrames, WireError } from './frames.ts'
import { type WireLimits, wireLimits } from './limits.ts'
import { decodeMsgpack } from './msgpack.ts'

/** The bytes of one message of Dask, for plain values: what msgpack has. Keys of value `undefined` are left out. */
export function encodeMessage(message: unknown): Uint8Array {
  return encodeFrames([encode(message, { ignoreUndefined: true })])
}

/**
 * The value of a message: its first frame is msgpack, without extension types. Markers become a Set or the name of an
 * enum's member; those of what only Python can read, in the other frames, stay. Map keys that are no strings become JSON text.
 *
 * @throws WireError where the frames are no message of Dask, or one beyond the limits.
 */
export function decodeMessage(frames: readonly Uint8Array[], limits: WireLimits = wireLimits): unknown {
  const [first] = frames
  if (first === undefined) throw new WireError('a message without frames')
  return decodeMsgpack(first, limits, withoutMarker)
}

/**
 * What a map stands for: `{"__Set__": true, "as-list": […]}`, `{"__Enum__": true, "name": …, …}`, or itself, as do
 * `{"__Serialized__": frame}` and `{"__Pickled__": frame}`.
 */
function withoutMarker(map: Readonly<Record<string, unknown>>): unknown {
  const list = map['as-list']
  if (map.__Set__ === true && Array.isArray(list)) return new Set<unknown>(list)
  if (map.__Enum__ === true && typeof map.name === 'string') return map.name
  return map
}
