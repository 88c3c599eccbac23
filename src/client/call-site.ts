import { copyOf, RunnerError } from '../errors.ts'

/** Where something was called: its stack is written out only if it is asked for. */
export interface CallSite {
  readonly stack?: string
}

type AsyncMethod = (this: unknown, ...args: unknown[]) => Promise<unknown>

/** That of the outermost public method that runs now and has not come to its first `await`. */
let current: CallSite | undefined

/** Where the public method was called that runs now; to be asked before its first `await`. */
export function callSite(): CallSite {
  return current ?? {}
}

/**
 * Has the async methods of a class, static ones too, reject with errors whose stacks lead to their caller. V8 itself does so only if
 * each call on the way was awaited at once.
 */
export function leadToCallers(owner: { readonly prototype: object }): void {
  for (const holder of [owner, owner.prototype])
    for (const name of Reflect.ownKeys(holder)) {
      const descriptor = Object.getOwnPropertyDescriptor(holder, name)
      const method: unknown = descriptor?.value
      if (method instanceof asyncFunction)
        Object.defineProperty(holder, name, { ...descriptor, value: leading(method as AsyncMethod) })
    }
}

/** The same for an iterator, whose caller is a loop. */
export function leadToLoop<I extends AsyncIterator<unknown, unknown>>(iterator: I): I {
  const next = iterator.next.bind(iterator)
  const value = function called(): Promise<unknown> {
    const site: CallSite = {}
    Error.captureStackTrace(site, called)
    // Not the current call: what it iterates over may be the caller's own code, with calls of its own.
    return led(next(), site)
  }
  return Object.defineProperty(iterator, 'next', { value, configurable: true, writable: true })
}

const asyncFunction = (async () => Promise.resolve()).constructor as FunctionConstructor

function leading(method: AsyncMethod): AsyncMethod {
  const called: AsyncMethod = function (...args) {
    const outer = current
    const site: CallSite = outer ?? {}
    // Without the frame of this function.
    if (outer === undefined) Error.captureStackTrace(site, called)
    current = site
    let outcome: Promise<unknown>
    try {
      outcome = method.apply(this, args)
    } finally {
      current = outer
    }
    return led(outcome, site)
  }
  return Object.defineProperty(called, 'name', { value: method.name, configurable: true })
}

async function led(outcome: Promise<unknown>, site: CallSite): Promise<unknown> {
  try {
    return await outcome
  } catch (error) {
    throw ledTo(site, error)
  }
}

/** The error with the stack of a call: a copy, because one error may fail many calls. An error that is not ours stays as it is. */
export function ledTo(site: CallSite, error: unknown): unknown {
  const frames = site.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? []
  if (frames.length === 0) return error
  if (error instanceof RunnerError) return withStack(copyOf(error), frames)
  // Of a check that came after an `await`.
  if ((error instanceof TypeError || error instanceof RangeError) && !error.stack?.includes(frames[0] ?? ''))
    error.stack = [error.stack, ...frames].join('\n')
  return error
}

function withStack(error: RunnerError, frames: readonly string[]): RunnerError {
  const stack = [`${error.name}: ${error.message}`, ...frames].join('\n')
  return Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true })
}
