import { types } from 'node:util'
import { cannotSend, formatKind } from './cannot-send.ts'

/**
 * The error for an object that neither Python nor a structured clone can have, which both would take for something else, or
 * fail at without a sentence.
 */
export function unsendable(value: object, place: readonly (string | number)[]): TypeError | undefined {
  if (types.isProxy(value) && throws(() => Array.isArray(value)))
    return cannotSend(place, 'a Proxy that was revoked', 'send what it stood for')
  if (types.isArgumentsObject(value))
    return cannotSend(place, 'the arguments object of a function', 'send [...arguments]')
  const buffer = ArrayBuffer.isView(value) ? value.buffer : value
  if (types.isArrayBuffer(buffer) && buffer.byteLength === 0 && throws(() => new Uint8Array(buffer)))
    return cannotSend(place, `${formatKind(value)} whose memory was transferred`, 'send a copy made before that')
  if (Symbol.asyncDispose in value)
    return cannotSend(place, formatKind(value), 'it holds what is open in this process: send the plain data in it')
  return undefined
}

function throws(read: () => unknown): boolean {
  try {
    read()
    return false
  } catch {
    return true
  }
}
