import type { RunKey } from './run-key.ts'

/** Who a process is among the processes of its run. */
export interface Identity {
  /** This process's number, from 0. */
  readonly rank: number
  /** How many processes the run has. */
  readonly size: number
  /** Name of the node as the workload manager has it. */
  readonly host: string
  /** What tells this run from every other. */
  readonly runKey: RunKey
  /** Where rank and size were read, for people: `SLURM_NODEID=1 of SLURM_STEP_NUM_NODES=4`. */
  readonly source: string
}
