import type { ClusterRecord } from './cluster-record.ts'

/** Why a run failed, as its processes tell each other. */
export interface Failure {
  /** Exit status of the processes of this run: a failure is told by one that is not 0. */
  status: number
  /** One sentence that names the cause. */
  message: string
  rank: number
  /** What of that process failed: `scheduler`, `client`, `worker 2`; missing where it is the process itself. */
  role?: string | undefined
  host: string
  /** Last lines that the failed component printed, oldest first. */
  last_lines: string[]
  /** The process that leaves word of it has told the user already, or knows that another has. */
  told?: boolean | undefined
  [later: string]: unknown
}

/**
 * What rank 0 leaves in the run's directory instead of a cluster: the run failed, or it is over
 * (`failure` missing). Where rank 0 still answers, `cluster` says where.
 */
export interface OutcomeRecord {
  version: 1
  run_key: string
  failure?: Failure | undefined
  cluster?: ClusterRecord | undefined
  /** The run only adds workers to a cluster: its end is not that of the cluster. */
  adds_workers?: boolean | undefined
  [later: string]: unknown
}
