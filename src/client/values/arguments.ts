import { Dependencies } from './dependencies.ts'
import { cloned, type Encoded, fromHeader, type HeaderValue } from './encoded.ts'
import { decodePlain, encodeCall } from './plain.ts'
import { decodeStructured, encodeStructured } from './structured.ts'

/** What a call has beside its arguments. */
interface Beside {
  readonly kwargs?: Readonly<Record<string, unknown>> | undefined
  readonly scope?: Readonly<Record<string, unknown>> | undefined
}

/** The arguments of a call in the form for its language. @throws TypeError that names the place of what cannot be sent. */
export function encodeArguments(
  language: 'python' | 'javascript',
  args: readonly unknown[],
  { kwargs, scope }: Beside,
  dependencies: Dependencies,
): Encoded {
  if (language === 'python') return encodeCall(args, kwargs ?? {}, dependencies)
  if (kwargs !== undefined)
    throw new TypeError('Cannot pass kwargs to a JavaScript function: only Python has keyword arguments')
  if (scope === undefined) return encodeStructured(args, 'arguments', dependencies)
  // Functions are a part of the function that uses them.
  const values = Object.fromEntries(Object.entries(scope).filter(([, value]) => typeof value !== 'function'))
  try {
    return encodeStructured([...args, values], 'arguments', dependencies)
  } catch (error) {
    // The same of the scope alone names what is wrong with that.
    encodeStructured(values, 'scope', new Dependencies())
    throw error
  }
}

/** A value that has come in a message, in either form; `dependencies` are the values of its futures. */
export function decodeValue(
  value: HeaderValue,
  buffers: readonly Uint8Array[],
  dependencies?: readonly unknown[],
): unknown {
  const encoded = fromHeader(value, buffers)
  return encoded.kind === cloned ? decodeStructured(encoded, dependencies) : decodePlain(encoded)
}
