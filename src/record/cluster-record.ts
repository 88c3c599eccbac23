import * as z from 'zod/mini'
import { ownerSchema } from './owner.ts'
import { versionsSchema } from './versions.ts'

/** Our part of the published scheduler file, under the key `dask_hpc_runner`. */
export const clusterRecordSchema = z.extend(ownerSchema, {
  /** Shown on the control channel by who has read this record. */
  secret: z.string(),
  /** Workers that the run starts, over all of its processes. */
  n_workers: z.int().check(z.gte(0)),
  /** Process 0 has made certificates for this run, and gives them to whoever proves that he knows the secret. */
  secure: z.optional(z.boolean()),
  /** What the scheduler runs on, where this run has started it. */
  versions: z.optional(versionsSchema),
})
export type ClusterRecord = z.infer<typeof clusterRecordSchema>
