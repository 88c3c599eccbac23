/** Kinds of values in messages: msgpack with our extensions, and Node's structured clone. */
export const plain = 0
export const cloned = 1

/** A value of a message, with what is large in it beside it. */
export interface Encoded {
  readonly kind: typeof plain | typeof cloned
  readonly data: Uint8Array
  readonly buffers: readonly Uint8Array[]
}

/** Bytes and arrays from this length on travel beside the header, uncopied. */
export const large = 4096

/** A value in the header of a message: kind, bytes, number of its first buffer, number of its buffers. */
export type HeaderValue = readonly [number, Uint8Array, number, number]

/** Puts a value's buffers among those of its message. */
export function intoHeader(value: Encoded, buffers: Uint8Array[]): HeaderValue {
  const first = buffers.length
  buffers.push(...value.buffers)
  return [value.kind, value.data, first, value.buffers.length]
}

/** Takes a value out of its message. */
export function fromHeader([kind, data, first, number]: HeaderValue, buffers: readonly Uint8Array[]): Encoded {
  return { kind: kind === cloned ? cloned : plain, data, buffers: buffers.slice(first, first + number) }
}
