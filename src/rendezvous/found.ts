import * as z from 'zod/mini'
import type { ClusterRecord } from '../record/cluster-record.ts'
import type { OutcomeRecord } from '../record/outcome-record.ts'
import type { PublishedFile } from '../record/scheduler-file.ts'
import { clusterRecordSchema, outcomeRecordSchema, parseAs, publishedFileSchema } from '../record/schemas.ts'

/** What a process finds when it looks for its run: where the cluster is, or how the run ended. */
export type Found =
  | { readonly kind: 'cluster'; readonly file: PublishedFile }
  /** Where rank 0 is, which tells of the cluster when that is there. */
  | { readonly kind: 'coordinator'; readonly record: ClusterRecord }
  /** Without `failure`: the run is over. */
  | { readonly kind: 'outcome'; readonly outcome: OutcomeRecord }

/** Where rank 0 is, by what was found, where that says so. */
export function coordinatorOf(found: Found): ClusterRecord | undefined {
  switch (found.kind) {
    case 'cluster':
      return found.file.dask_hpc_runner
    case 'coordinator':
      return found.record
    case 'outcome':
      return found.outcome.cluster
  }
}

const foundSchema = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('cluster'), file: publishedFileSchema }),
    z.object({ kind: z.literal('coordinator'), record: clusterRecordSchema }),
    z.object({ kind: z.literal('outcome'), outcome: outcomeRecordSchema }),
  ]),
)

/** What another process has found, in its JSON, or undefined where `text` is none. */
export function parseFound(text: string): Found | undefined {
  return parseAs(foundSchema, text)
}
