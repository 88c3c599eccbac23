import * as z from 'zod/mini'
import { failureSchema, versionsSchema } from './schemas.ts'

// What `--report` writes as JSON. docs/report.md tells of each key; a later version only adds some. Times are seconds since
// the run began, memory is in bytes.

const secondsSchema = z.number()
const columnSchema = z.array(z.nullable(z.number()))

/**
 * One number over time, an entry for each sample; null where nothing was seen. A sample may stand for several that were
 * merged: then `least` and `most` are there too.
 */
const curveSchema = z.object({
  mean: columnSchema,
  least: z.optional(columnSchema),
  most: z.optional(columnSchema),
})
export type Curve = z.infer<typeof curveSchema>

const curvesSchema = z.record(z.string(), curveSchema)

/** One rank of the run. */
const rankSchema = z.object({
  rank: z.number(),
  roles: z.array(z.string()),
  /** Null where it has never come; so are the times. */
  host: z.nullable(z.string()),
  came: z.nullable(secondsSchema),
  /** When the first worker of it was there. */
  up: z.nullable(secondsSchema),
  ended: z.nullable(secondsSchema),
  /** Missing where it ended as it should. */
  why: z.optional(z.string()),
})
export type ReportedRank = z.infer<typeof rankSchema>

/** One worker, as the scheduler has told of it. */
const workerSchema = z.object({
  name: z.string(),
  host: z.string(),
  threads: z.number(),
  /** Null for no limit. */
  memory_limit: z.nullable(z.number()),
  /** The most that was seen; null where it has told nothing. So for the others. */
  memory: z.nullable(z.number()),
  /** CPUs in use. */
  cpu: z.nullable(z.number()),
  spilled: z.nullable(z.number()),
  /** How often another worker's data came to it. */
  transfers: z.nullable(z.number()),
  first_seen: secondsSchema,
  last_seen: secondsSchema,
})
export type ReportedWorker = z.infer<typeof workerSchema>

const eventSchema = z.object({ at: secondsSchema, level: z.enum(['info', 'warn', 'error']), text: z.string() })
export type ReportedEvent = z.infer<typeof eventSchema>

/** What rank 0 has seen of a run. */
const recordingSchema = z.object({
  versions: z.nullable(versionsSchema),
  ranks: z.array(rankSchema),
  ranks_left_out: z.number(),
  workers_seen: z.array(workerSchema),
  workers_left_out: z.number(),
  events: z.array(eventSchema),
  events_left_out: z.number(),
  samples: z.object({
    /** How many times the scheduler has answered. */
    taken: z.number(),
    /** When; of several that were merged, the last. */
    at: z.array(secondsSchema),
    cluster: curvesSchema,
    hosts: z.array(z.object({ host: z.string(), curves: curvesSchema })),
  }),
})
export type Recording = z.infer<typeof recordingSchema>

/** The report of a run. */
export const runReportSchema = z.object({
  version: z.literal(1),
  run_key: z.string(),
  status: z.number(),
  failure: z.nullable(failureSchema),
  silent: z.array(z.number()),
  processes: z.number(),
  workers: z.nullable(z.number()),
  scheduler_file: z.string(),
  scheduler_address: z.nullable(z.string()),
  began: z.iso.datetime(),
  ended: z.iso.datetime(),
  /** Missing where rank 0 was lost, which has seen it all. */
  recording: z.optional(recordingSchema),
})
export type RunReport = z.infer<typeof runReportSchema>
