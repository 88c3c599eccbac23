import * as z from 'zod/mini'
import { printable } from '../../util/printable.ts'
import type { DaskConnection, AnswerOptions } from '../connection.ts'
import { DaskError } from '../errors.ts'
import { checked, call } from './call.ts'

const counts = z.optional(z.record(z.string(), z.unknown()))

/** What the scheduler knows of one worker. (Dask 2022.12 to 2026.7; unknown keys are kept.) */
const workerSchema = z.looseObject({
  /** Its name; a name of digits is a number to Dask. */
  id: z.union([z.string(), z.number()]),
  host: z.string(),
  nthreads: z.number(),
  /** Bytes; 0 for no limit. */
  memory_limit: z.nullable(z.number()),
  /** Seconds since 1970, by the scheduler's clock. */
  last_seen: z.optional(z.number()),
  /** `running`, `paused`, `closing_gracefully`, ... */
  status: z.string(),
  nanny: z.optional(z.nullable(z.string())),
  resources: z.optional(z.record(z.string(), z.number())),
  services: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
  /** What a worker of ours has told of its GPUs: see bootstrap.py. */
  dask_hpc_runner_gpus: z.optional(z.unknown()),
  metrics: z.optional(
    z.looseObject({
      /** Bytes that its process takes. */
      memory: z.optional(z.number()),
      /** Percent of one CPU. */
      cpu: z.optional(z.number()),
      task_counts: counts,
    }),
  ),
})
export type WorkerIdentity = z.infer<typeof workerSchema>

const identitySchema = z.looseObject({
  type: z.literal('Scheduler'),
  /** `Scheduler-` and a UUID, new with each start. */
  id: z.string(),
  address: z.string(),
  /** Ports by service; `dashboard` is one. */
  services: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
  /** Seconds since 1970. */
  started: z.number(),
  /** By address. */
  workers: z.record(z.string(), workerSchema),
})
export type SchedulerIdentity = z.infer<typeof identitySchema>

/** What a worker says of itself; its type is the name of its class. */
const workerIdentitySchema = z.looseObject({ type: z.string(), scheduler: z.string(), nthreads: z.number() })
const nannyIdentitySchema = z.looseObject({ type: z.literal('Nanny') })

/**
 * Who the scheduler is and what workers it has, about 1 kB for each:
 * `{op: "identity"}` -> `{type, id, address, services, started, workers: {address: {…}}}`
 *
 * @throws DaskError where it is a worker or a nanny, which answer too: `{type, id, scheduler, nthreads, …}`
 */
export async function identity(connection: DaskConnection, options?: AnswerOptions): Promise<SchedulerIdentity> {
  const said = await connection.request('identity', {}, options)
  const who = formatWhoElse(said)
  if (who === undefined) return checked(connection, 'identity', identitySchema, said)
  const { address } = connection
  throw new DaskError(`Cannot ask the scheduler at ${address}: ${who}`, { reason: 'not-dask', address })
}

/** Says which part of a cluster this is, where it is no scheduler. */
function formatWhoElse(said: unknown): string | undefined {
  const worker = z.safeParse(workerIdentitySchema, said)
  if (worker.success)
    return `a Dask worker answers there, not a scheduler; its scheduler is at ${printable(worker.data.scheduler)}`
  return z.safeParse(nannyIdentitySchema, said).success ? 'a Dask nanny answers there, not a scheduler' : undefined
}

/**
 * The workers that are registered and take tasks, with their threads, about 30 bytes for each:
 * `{op: "ncores_running"}` -> `{address: nthreads}`
 */
export async function runningWorkers(
  connection: DaskConnection,
  options?: AnswerOptions,
): Promise<ReadonlyMap<string, number>> {
  const answer = z.record(z.string(), z.number())
  return new Map(Object.entries(await call(connection, { op: 'ncores_running', answer }, options)))
}

const countsByState = z.record(z.string(), z.number())
const taskCountsSchema = z.object({ now: countsByState, ever: countsByState })
export type TaskCounts = z.infer<typeof taskCountsSchema>

/**
 * How many tasks are in each of Dask's states, and how often one has come to be `memory` or `erred` since the scheduler
 * runs: `{op: "dask_hpc_runner_tasks"}` -> `{now: {state: n}, ever: {state: n}}`. Only a scheduler that a run of ours has
 * started knows this call: see bootstrap.py.
 */
export async function taskCounts(connection: DaskConnection, options?: AnswerOptions): Promise<TaskCounts> {
  return await call(connection, { op: 'dask_hpc_runner_tasks', answer: taskCountsSchema }, options)
}

const versionsSchema = z.looseObject({
  host: z.looseObject({ python: z.optional(z.string()) }),
  /** By package; null where it is not installed. */
  packages: z.record(z.string(), z.nullable(z.string())),
})
export type SchedulerVersions = z.infer<typeof versionsSchema>

/** What the scheduler runs on: `{op: "versions"}` -> `{host: {python, OS, …}, packages: {dask, distributed, …}}` */
export async function versions(connection: DaskConnection, options?: AnswerOptions): Promise<SchedulerVersions> {
  return await call(connection, { op: 'versions', answer: versionsSchema }, options)
}

/** Keeps a value at the scheduler: `{op: "set_metadata", keys: [key], value}`. `client.restart()` removes it. */
export async function setMetadata(
  connection: DaskConnection,
  key: string,
  value: unknown,
  options?: AnswerOptions,
): Promise<void> {
  await call(connection, { op: 'set_metadata', keys: [key], value, answer: z.unknown() }, options)
}

/** What was kept under the key, or null: `{op: "get_metadata", keys: [key], default: null}` */
export async function getMetadata(connection: DaskConnection, key: string, options?: AnswerOptions): Promise<unknown> {
  return await call(connection, { op: 'get_metadata', keys: [key], default: null, answer: z.unknown() }, options)
}
