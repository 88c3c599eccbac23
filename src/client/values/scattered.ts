import { Dependencies } from './dependencies.ts'
import type { Encoded } from './encoded.ts'
import { encodePlain, isPythonDate } from './plain.ts'
import { encodeStructured } from './structured.ts'
import { NDArray } from './nd-array.ts'

/**
 * A value for whoever may need it, Python or JavaScript: in Python's form where it comes back as it was, else
 * as a structured clone.
 *
 * @throws TypeError that names the place of what cannot be sent.
 */
export function encodeScattered(value: unknown): Encoded {
  if (isAlike(value, 0)) return encodePlain(value)
  const futures = new Dependencies()
  const encoded = encodeStructured(value, 'value', futures)
  if (futures.numbers.length > 0)
    throw new TypeError('Cannot place a future on the workers: its result is there already; pass it as an argument')
  return encoded
}

/** Whether Python's form keeps all of it. */
function isAlike(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'number':
      return !Object.is(value, -0)
    case 'boolean':
      return true
    case 'string':
      return value.isWellFormed()
    case 'object':
      break
    default:
      return false
  }
  if (value === null || value instanceof NDArray) return true
  if (value instanceof Date) return isPythonDate(value)
  if (ArrayBuffer.isView(value)) return !(value instanceof DataView) && !(value instanceof Uint8ClampedArray)
  if (depth > 50) return false
  if (Array.isArray(value)) return value.every((item) => isAlike(item, depth + 1))
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  const inside = value as Readonly<Record<string, unknown>>
  return Object.keys(inside).every((key) => key.isWellFormed() && isAlike(inside[key], depth + 1))
}
