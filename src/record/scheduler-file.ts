import type { ClusterRecord } from './cluster-record.ts'

/**
 * A Dask scheduler file: `Scheduler.identity()` as Dask writes it, unknown keys kept, and our record
 * where one of our runs published it. (Dask 2022.12 to 2026.7.)
 */
export interface SchedulerFile {
  type: 'Scheduler'
  /** `Scheduler-` and a UUID, new with each start. */
  id: string
  /** Where workers and clients connect: `tcp://10.0.0.1:8786`. */
  address: string
  /** Ports by service; `dashboard` is one. */
  services?: Record<string, unknown> | null | undefined
  /** Seconds since 1970. */
  started?: number | undefined
  workers?: Record<string, unknown> | undefined
  dask_hpc_runner?: ClusterRecord | undefined
  [later: string]: unknown
}

/** A scheduler file that one of our runs published. */
export interface PublishedFile extends SchedulerFile {
  dask_hpc_runner: ClusterRecord
}

/** The same file; what prints it, as `console.log` and `JSON.stringify` do, does not show the secret of the run. */
export function withoutShownSecret(file: PublishedFile): PublishedFile {
  const { secret, ...shown } = file.dask_hpc_runner
  const record = Object.defineProperty(shown, 'secret', { value: secret, enumerable: false })
  return { ...file, dask_hpc_runner: record as PublishedFile['dask_hpc_runner'] }
}
