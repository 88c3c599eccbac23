import * as z from 'zod/mini'
import { clusterRecordSchema } from './cluster-record.ts'

/**
 * A Dask scheduler file: `Scheduler.identity()` as Dask writes it, unknown keys kept, and our record
 * where one of our runs published it. (Dask 2022.12 to 2026.7.)
 */
export const schedulerFileSchema = z.looseObject({
  type: z.literal('Scheduler'),
  /** `Scheduler-` and a UUID, new with each start. */
  id: z.string(),
  /** Where workers and clients connect: `tcp://10.0.0.1:8786`. */
  address: z.string().check(z.regex(/^[a-z][a-z0-9+.-]*:\/\/.+/)),
  /** Ports by service; `dashboard` is one. */
  services: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
  /** Seconds since 1970. */
  started: z.optional(z.number()),
  workers: z.optional(z.record(z.string(), z.unknown())),
  dask_hpc_runner: z.optional(clusterRecordSchema),
})
export type SchedulerFile = z.infer<typeof schedulerFileSchema>
/** A scheduler file that one of our runs published. */
export const publishedFileSchema = z.extend(schedulerFileSchema, { dask_hpc_runner: clusterRecordSchema })
export type PublishedFile = z.infer<typeof publishedFileSchema>
