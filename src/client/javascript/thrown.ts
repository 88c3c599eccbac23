import { formatValue } from '../check-options.ts'
import { decodeStructured, encodeStructured } from '../values/structured.ts'

/** What was thrown, in a form that can be sent: an error with all that a structured clone would lose. */
interface Thrown {
  readonly error?: {
    readonly name: string
    readonly message: string
    readonly stack?: string
    readonly own: Readonly<Record<string, unknown>>
  }
  readonly cause?: Thrown
  /** Of an AggregateError. */
  readonly errors?: readonly Thrown[]
  /** Anything else, where it can be cloned, or its text. */
  readonly value?: unknown
}

/** Describes what a function threw. @returns a structured clone. */
export function encodeThrown(thrown: unknown): Uint8Array {
  const { data } = encodeInline(describe(thrown, 0))
  return data
}

/** Nothing may travel beside it: large arrays in errors are left out. */
function encodeInline(thrown: Thrown): { data: Uint8Array } {
  const encoded = encodeStructured(thrown)
  if (encoded.buffers.length === 0) return encoded
  return encodeStructured(withoutValues(thrown))
}

function withoutValues({ error, cause, errors }: Thrown): Thrown {
  return {
    ...(error === undefined ? { value: 'a large value' } : { error: { ...error, own: {} } }),
    ...(cause === undefined ? {} : { cause: withoutValues(cause) }),
    ...(errors === undefined ? {} : { errors: errors.map(withoutValues) }),
  }
}

function describe(thrown: unknown, depth: number): Thrown {
  if (!(thrown instanceof Error)) return { value: clonable(thrown) }
  const { name, message, stack } = thrown
  const own = Object.entries(thrown)
    .filter(([key]) => !['name', 'message', 'stack', 'cause', 'errors'].includes(key))
    .map(([key, value]) => [key, clonable(value)])
  return {
    error: {
      name,
      message,
      ...(stack === undefined ? {} : { stack: tidy(stack) }),
      own: Object.fromEntries(own) as Record<string, unknown>,
    },
    ...('cause' in thrown && depth < 10 ? { cause: describe(thrown.cause, depth + 1) } : {}),
    ...(thrown instanceof AggregateError && depth < 10
      ? { errors: thrown.errors.slice(0, 20).map((error: unknown) => describe(error, depth + 1)) }
      : {}),
  }
}

/** Without the frames of our own program, and of Node's own queues beneath it. */
function tidy(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => !/^\s+at .*(\beval at |\[eval\]|dask-hpc-runner-node\b|\(node:internal\/)/.test(line))
    .join('\n')
}

function clonable(value: unknown): unknown {
  try {
    encodeStructured(value)
    return value
  } catch {
    return textOf(value)
  }
}

/** Anything that was thrown, in one line; an object without a prototype has no text of its own. */
export function textOf(value: unknown): string {
  const hasText = typeof value === 'string' || typeof value === 'function' || typeof value === 'symbol'
  return hasText ? String(value) : formatValue(value)
}

/**
 * What was thrown, as it was: errors of the language's own classes are of these again. Undefined where another release of Node has
 * written it, so that it cannot be read.
 */
export function decodeThrown(data: Uint8Array): unknown {
  try {
    return rebuild(decodeStructured({ data, buffers: [] }) as Thrown)
  } catch {
    return undefined
  }
}

const classes = new Map<string, new (message: string) => Error>(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((type) => [type.name, type]),
)

function rebuild(thrown: Thrown): unknown {
  if (thrown.error === undefined) return thrown.value
  const { name, message, stack, own } = thrown.error
  const made =
    thrown.errors === undefined
      ? new (classes.get(name) ?? Error)(message)
      : new AggregateError(thrown.errors.map(rebuild), message)
  const hidden = (value: unknown): PropertyDescriptor => ({
    value,
    configurable: true,
    writable: true,
    enumerable: false,
  })
  if (made.name !== name) Object.defineProperty(made, 'name', hidden(name))
  Object.defineProperty(made, 'stack', hidden(stack))
  if (thrown.cause !== undefined) Object.defineProperty(made, 'cause', hidden(rebuild(thrown.cause)))
  return Object.assign(made, own)
}
