import * as z from 'zod/mini'
import type { ClusterRecord } from '../record/cluster-record.ts'
import type { OutcomeRecord } from '../record/outcome-record.ts'
import { clusterRecordSchema, outcomeRecordSchema, parseAs } from '../record/schemas.ts'

/** What a process finds when it looks for its run: where rank 0 is, or how the run ended. */
export type Found =
  /** Where rank 0 is, which tells of the cluster when that is there. */
  | { readonly kind: 'coordinator'; readonly record: ClusterRecord }
  /** Without `failure`: the run is over. */
  | { readonly kind: 'outcome'; readonly outcome: OutcomeRecord }

/** Where rank 0 is, by what was found, where that says so. */
export function coordinatorOf(found: Found): ClusterRecord | undefined {
  return found.kind === 'coordinator' ? found.record : found.outcome.cluster
}

const foundSchema = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('coordinator'), record: clusterRecordSchema }),
    z.object({ kind: z.literal('outcome'), outcome: outcomeRecordSchema }),
  ]),
)

/** What another process has found, in its JSON, or undefined where `text` is none. */
export function parseFound(text: string): Found | undefined {
  return parseAs(foundSchema, text)
}
