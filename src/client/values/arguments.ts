import type { Dependencies } from './dependencies.ts'
import { cloned, type Encoded } from './encoded.ts'
import { decodePlain, encodeCall } from './plain.ts'
import { decodeStructured, encodeStructured } from './structured.ts'

/** The arguments of a call in the form for its language. @throws TypeError that names the place of what cannot be sent. */
export function encodeArguments(
  language: 'python' | 'javascript',
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>> | undefined,
  dependencies: Dependencies,
): Encoded {
  if (language === 'python') return encodeCall(args, kwargs ?? {}, dependencies)
  if (kwargs !== undefined)
    throw new TypeError('Cannot pass kwargs to a JavaScript function: only Python has keyword arguments')
  return encodeStructured(args, 'arguments', dependencies)
}

/** A value that has come, in either form. */
export function decodeValue(encoded: Encoded): unknown {
  return encoded.kind === cloned ? decodeStructured(encoded) : decodePlain(encoded)
}
