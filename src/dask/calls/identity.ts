import * as z from 'zod/mini'
import type { DaskConnection, WaitOptions } from '../connection.ts'
import { call } from './call.ts'

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
export type WorkerInfo = z.infer<typeof workerSchema>

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

/**
 * Who the scheduler is and what workers it has, about 1 kB for each:
 * `{op: "identity"}` -> `{type, id, address, services, started, workers: {address: {…}}}`
 */
export async function identity(connection: DaskConnection, options?: WaitOptions): Promise<SchedulerIdentity> {
  return await call(connection, { op: 'identity', answer: identitySchema }, options)
}
