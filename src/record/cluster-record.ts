import type { Owner } from './owner.ts'
import type { Versions } from './versions.ts'

/** Our part of the published scheduler file, under the key `dask_hpc_runner`. */
export interface ClusterRecord extends Owner {
  /** Shown on the control channel by who has read this record. */
  secret: string
  /** Workers that the run starts, over all of its processes. */
  n_workers: number
  /** Rank 0 has made certificates for this run, and gives them to whoever proves that he knows the secret. */
  secure?: boolean | undefined
  /** The run only adds workers to a cluster: it publishes none. */
  adds_workers?: boolean | undefined
  /** What the scheduler runs on, where this run has started it. */
  versions?: Versions | undefined
}
