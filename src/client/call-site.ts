import { RunnerError } from '../errors.ts'

/** Where something was called: its stack is written out only if it is asked for. */
export interface CallSite {
  readonly stack?: string
}

/** Where the method of this name, which runs now, was called. */
export function callSite<K extends PropertyKey>(
  owner: Readonly<Record<K, (...args: never[]) => unknown>>,
  name: K,
): CallSite {
  const site: CallSite = {}
  Error.captureStackTrace(site, owner[name])
  return site
}

/** The error with the stack of a call; an error that is not ours stays as it is. */
export function ledTo(site: CallSite, error: unknown): unknown {
  if (!(error instanceof RunnerError)) return error
  const frames = site.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? []
  if (frames.length === 0) return error
  const own = copyOf(error)
  const stack = [`${own.name}: ${own.message}`, ...frames].join('\n')
  Object.defineProperty(own, 'stack', { value: stack, configurable: true, writable: true })
  return own
}

/** A lost connection fails many calls by one error; each has a stack of its own. */
function copyOf(error: RunnerError): RunnerError {
  if (Object.getPrototypeOf(error) !== RunnerError.prototype) return error
  const { message, code, cause, lastLines } = error
  return new RunnerError(message, { code, cause, lastLines })
}
