import * as z from 'zod/mini'
import type { ClusterRecord } from './cluster-record.ts'
import type { OutcomeRecord } from './outcome-record.ts'
import type { PublishedFile } from './scheduler-file.ts'
import { clusterRecordSchema, outcomeRecordSchema, publishedFileSchema } from './schemas.ts'

/** What a process finds when it looks for its run: where the cluster is, or how the run ended. */
export type Found =
  | { readonly kind: 'cluster'; readonly file: PublishedFile }
  /** Where process 0 is, which tells of the cluster when that is there. */
  | { readonly kind: 'gatherer'; readonly record: ClusterRecord }
  /** Without `failure`: the run is over. */
  | { readonly kind: 'outcome'; readonly outcome: OutcomeRecord }

/** Where process 0 is, by what was found, where that says so. */
export function gathererOf(found: Found): ClusterRecord | undefined {
  switch (found.kind) {
    case 'cluster':
      return found.file.dask_hpc_runner
    case 'gatherer':
      return found.record
    case 'outcome':
      return found.outcome.cluster
  }
}

const foundSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cluster'), file: publishedFileSchema }),
  z.object({ kind: z.literal('gatherer'), record: clusterRecordSchema }),
  z.object({ kind: z.literal('outcome'), outcome: outcomeRecordSchema }),
])

/** What another process has found, in its JSON, or undefined where `text` is none. */
export function parseFound(text: string): Found | undefined {
  try {
    const parsed = z.safeParse(foundSchema, JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/**
 * Parses what may be found, while there is nothing to do but to wait: the first time takes a hundred times as long
 * as the second, and many processes of a host find theirs at once.
 */
export function rehearseParsing(): void {
  for (const sample of samples()) parseFound(sample)
}

/** What may be found, of no run. */
export function samples(): readonly string[] {
  const control = { addresses: [''], port: 0, network: '' }
  const record = { version: 1, run_key: '', nonce: '', host: '', pid: 0, control, secret: '', n_workers: 0 }
  const file = { type: 'Scheduler', id: '', address: 'tcp://0', services: {}, started: 0, workers: {} }
  const all = [
    { kind: 'gatherer', record },
    { kind: 'cluster', file: { ...file, dask_hpc_runner: record } },
  ]
  return all.map((found) => JSON.stringify(found))
}
