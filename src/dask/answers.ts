import * as z from 'zod/mini'

// What Dask answers to the calls of scheduler-client.ts.

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
  /** What a worker of ours has told of its GPUs: see component.py. */
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

export const identitySchema = z.looseObject({
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
export const workerIdentitySchema = z.looseObject({ type: z.string(), scheduler: z.string(), nthreads: z.number() })
export const nannyIdentitySchema = z.looseObject({ type: z.literal('Nanny') })

const countsByState = z.record(z.string(), z.number())
export const taskCountsSchema = z.object({ now: countsByState, ever: countsByState })
export type TaskCounts = z.infer<typeof taskCountsSchema>

export const versionsSchema = z.looseObject({
  host: z.looseObject({ python: z.optional(z.string()) }),
  /** By package; null where it is not installed. */
  packages: z.record(z.string(), z.nullable(z.string())),
})
export type SchedulerVersions = z.infer<typeof versionsSchema>
