import * as z from 'zod/mini'
import { RunnerError } from '../errors.ts'
import type { WaitOptions } from './bounded.ts'
import { checkOptions, type OptionName, waitNames } from './check-options.ts'

/** A method of Dask's client that is called as it is. */
interface Call {
  /** Continues the sentence "Cannot". */
  readonly what: string
  readonly options?: readonly OptionName[]
  /** What comes back. */
  readonly answer: z.ZodMiniType
}

const versions = z.looseObject({
  host: z.record(z.string(), z.unknown()),
  packages: z.record(z.string(), z.nullable(z.string())),
})
const logs = z.array(z.tuple([z.string(), z.string()]))

/** Those methods, by Dask's names. */
export const calls = {
  wait_for_workers: { what: 'wait for the workers', answer: z.unknown() },
  nthreads: {
    what: 'ask the scheduler for the threads of its workers',
    options: ['workers'],
    answer: z.record(z.string(), z.number()),
  },
  who_has: {
    what: 'ask the scheduler where results are',
    answer: z.record(z.string(), z.array(z.string())),
  },
  get_versions: {
    what: 'ask for the versions of the cluster',
    answer: z.object({ scheduler: versions, workers: z.record(z.string(), versions), client: versions }),
  },
  get_scheduler_logs: { what: 'ask the scheduler for its log', options: ['n'], answer: logs },
  get_worker_logs: {
    what: 'ask the workers for their logs',
    options: ['n', 'workers', 'nanny'],
    answer: z.record(z.string(), logs),
  },
  rebalance: { what: 'rebalance the results', options: ['workers'], answer: z.unknown() },
  retire_workers: {
    what: 'retire workers',
    options: ['workers', 'closeWorkers'],
    answer: z.record(z.string(), z.unknown()),
  },
  publish_dataset: { what: 'publish a dataset', options: ['override'], answer: z.unknown() },
  list_datasets: { what: 'list the datasets', answer: z.array(z.string()) },
  unpublish_dataset: { what: 'unpublish a dataset', answer: z.unknown() },
  restart: { what: 'restart the workers', options: ['waitForWorkers'], answer: z.unknown() },
} as const satisfies Record<string, Call>

export type CallName = keyof typeof calls
export type CallAnswer<N extends CallName> = z.infer<(typeof calls)[N]['answer']>

/** Parts the options of a call into those of the wait and its arguments, under Dask's names. @throws as {@link checkOptions} */
export function callArguments(
  name: CallName,
  given: WaitOptions,
): { readonly wait: WaitOptions; readonly args: Record<string, unknown> } {
  const { what, options: known = [] }: Call = calls[name]
  checkOptions(given, [...known, ...waitNames], what)
  const { signal, timeout, ...options } = given
  const args = Object.entries(options).map(([key, value]): [string, unknown] => [
    key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    value,
  ])
  return { wait: { signal, timeout }, args: Object.fromEntries(args) }
}

/** What a call gave. @throws RunnerError where this Dask answers with something else. */
export function readAnswer<N extends CallName>(name: N, answer: unknown): CallAnswer<N> {
  const { what, answer: schema }: Call = calls[name]
  const read = schema.safeParse(answer)
  if (read.success) return read.data as CallAnswer<N>
  throw new RunnerError(`Cannot ${what}: the answer of this version of Dask has another form`, {
    code: 'ERR_UNAVAILABLE',
    cause: read.error,
  })
}
