import * as z from 'zod/mini'
import { clusterRecordSchema } from './cluster-record.ts'

/** Why a run failed, as its processes tell each other. */
export const failureSchema = z.looseObject({
  /** Exit status of the processes of this run: a failure is told by one that is not 0. */
  status: z.int().check(z.gte(1), z.lte(255)),
  /** One sentence that names the cause. */
  message: z.string(),
  rank: z.number(),
  /** What of that process failed: `scheduler`, `client`, `worker 2`; missing where it is the process itself. */
  role: z.optional(z.string()),
  host: z.string(),
  /** Last lines that the failed component printed, oldest first. */
  last_lines: z.array(z.string()),
})
export type Failure = z.infer<typeof failureSchema>

/**
 * What process 0 leaves in the run's directory instead of a cluster: the run failed, or it is over
 * (`failure` missing). Where process 0 still answers, `cluster` says where.
 */
export const outcomeRecordSchema = z.looseObject({
  version: z.literal(1),
  run_key: z.string(),
  failure: z.optional(failureSchema),
  cluster: z.optional(clusterRecordSchema),
})
export type OutcomeRecord = z.infer<typeof outcomeRecordSchema>
