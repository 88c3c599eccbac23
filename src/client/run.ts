import { ask } from './ask.ts'
import type { WaitOptions } from './bounded.ts'
import { callSite, ledTo } from './call-site.ts'
import type { RemoteFunction } from './callable.ts'
import { checkOptions, waitNames } from './check-options.ts'
import type { HelperConnection } from './connection.ts'
import { type DescribedFailure, TaskError } from './task-error.ts'
import { Dependencies } from './values/dependencies.ts'
import { type HeaderValue, intoHeader } from './values/encoded.ts'
import { decodeValue, encodeArguments } from './values/arguments.ts'

/** What becomes of errors: see {@link RunOptions.onError}. */
export type OnError = 'raise' | 'return' | 'ignore'

/** How a function is called beside the tasks. */
export interface RunOptions<E extends OnError = OnError> extends WaitOptions {
  /** Names of workers, or their addresses. @default all */
  readonly workers?: readonly (number | string)[] | undefined
  /** Whether the first error is thrown, errors are among the results, or the workers that fail are left out. @default 'raise' */
  readonly onError?: E | undefined
  /** Keyword arguments of a Python function. */
  readonly kwargs?: Readonly<Record<string, unknown>> | undefined
}

/** What a call gives by the address of each worker. */
export type ResultByAddress<R, E extends OnError> = Readonly<
  Record<string, Awaited<R> | ('return' extends E ? TaskError : never)>
>

/** Results by the addresses of what gave them. */
export type RunResults = Record<string, unknown>

interface Answered {
  readonly values: Readonly<Record<string, HeaderValue>>
  readonly failed: Readonly<Record<string, DescribedFailure>>
}

/** Calls a function on all workers, or on the scheduler. */
export async function runOn(
  connection: HelperConnection,
  where: 'workers' | 'scheduler',
  remote: RemoteFunction<never>,
  args: readonly unknown[],
  options: RunOptions,
): Promise<RunResults> {
  const what = `run "${remote.name}" on the ${where}`
  const site = callSite()
  const own = where === 'workers' ? (['workers', 'onError', 'kwargs'] as const) : (['kwargs'] as const)
  checkOptions(options, [...own, ...waitNames], what)
  const { workers, onError = 'raise', kwargs, signal, timeout } = options
  const futures = new Dependencies()
  const encoded = encodeArguments(remote.language, args, { kwargs }, futures)
  if (futures.numbers.length > 0)
    throw new TypeError(`Cannot ${what}: it takes no futures; pass their results, or submit a task`)
  const buffers: Uint8Array[] = []
  const order = {
    order: 'run',
    scheduler: where === 'scheduler',
    spec: remote.spec,
    javascript: remote.language === 'javascript',
    arguments: intoHeader(encoded, buffers),
    workers,
  }
  const answer = await ask(connection, { order, buffers, what }, { signal, timeout })
  const { values, failed } = answer.ok as Answered
  const errors = Object.entries(failed).map(([address, failure]): [string, unknown] => [
    address,
    ledTo(site, new TaskError(`${remote.name} on ${address}`, failure)),
  ])
  const [first] = errors
  if (onError === 'raise' && first !== undefined) throw first[1]
  const results = Object.entries(values).map(([address, value]): [string, unknown] => [
    address,
    decodeValue(value, answer.buffers),
  ])
  return Object.fromEntries(onError === 'return' ? [...results, ...errors] : results)
}
