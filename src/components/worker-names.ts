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

/** What tells how many workers a process brings. */
export interface WorkerCounts {
  readonly nworkers: number
  /** Workers of each of them, where they are commands that bring several. */
  readonly workersPerCommand: number
}

/** How many workers a process that hosts workers brings. */
export function workersOfProcess({ nworkers, workersPerCommand }: WorkerCounts): number {
  return nworkers * workersPerCommand
}

/** Whether a worker's name is the one given to a command, or that with a number behind it, as Dask's own commands name several. */
export function isOfCommand(worker: string, name: string): boolean {
  return worker === name || (worker.startsWith(`${name}-`) && /^\d+$/.test(worker.slice(name.length + 1)))
}
