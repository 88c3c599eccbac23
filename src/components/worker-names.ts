import type { RunKey } from '../identity/run-key.ts'

/** What names the workers of a process. */
export interface WorkerNaming {
  readonly runKey: RunKey
  /** Workers of the process. */
  readonly nworkers: number
  /** Whether the scheduler is the run's own. */
  readonly scheduler: boolean
}

/**
 * The names of the workers of process `rank`: its rank, or, in a cluster that may have workers of
 * other runs, the job, the step and the rank; with a number behind it where there are several.
 */
export function workerNames(rank: number, { runKey, nworkers, scheduler }: WorkerNaming): readonly string[] {
  const name = scheduler ? `${rank}` : `${runKey.jobId}.${runKey.stepId}-${rank}`
  return Array.from({ length: nworkers }, (_, i) => (nworkers === 1 ? name : `${name}-${i}`))
}
