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
  if (isWhollyAlike(value, 0)) return encodePlain(value)
  const futures = new Dependencies()
  const encoded = encodeStructured(value, 'value', futures)
  if (futures.numbers.length > 0)
    throw new TypeError('Cannot place a future on the workers: its result is there already; pass it as an argument')
  return encoded
}

/** Whether Python's form keeps all of a value; undefined where that goes by what is in it. */
export function isAlike(value: unknown): boolean | undefined {
  if (typeof value === 'number') return !Object.is(value, -0)
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'boolean' || value === null || value instanceof NDArray) return true
  if (value instanceof Date) return isPythonDate(value)
  if (ArrayBuffer.isView(value)) return !(value instanceof DataView) && !(value instanceof Uint8ClampedArray)
  const holds = Array.isArray(value) || (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
  return holds ? undefined : false
}

/** The same of a value with all that is in it. */
function isWhollyAlike(value: unknown, depth: number): boolean {
  const alike = isAlike(value)
  if (alike !== undefined || depth > 50) return alike === true
  if (Array.isArray(value)) return value.every((item) => isWhollyAlike(item, depth + 1))
  const inside = Object.entries(value as object)
  return inside.every(([key, item]) => key.isWellFormed() && isWhollyAlike(item, depth + 1))
}
