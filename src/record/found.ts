import type { OutcomeRecord } from './outcome-record.ts'
import type { PublishedFile } from './scheduler-file.ts'

/** What a process finds when it looks for its run: where the cluster is, or how the run ended. */
export type Found =
  | { readonly kind: 'cluster'; readonly file: PublishedFile }
  /** Without `failure`: the run is over. */
  | { readonly kind: 'outcome'; readonly outcome: OutcomeRecord }
