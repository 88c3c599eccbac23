import type { RunKey } from './run-key.ts'
import type { Share } from './share.ts'

/** Who a process is among the processes of its run. */
export interface Identity {
  /** This process's number, from 0. */
  readonly rank: number
  /** How many processes the run has. */
  readonly size: number
  /** Name of the node as the workload manager has it. */
  readonly host: string
  /** How many nodes the run's processes are on, as the workload manager has it. */
  readonly nodes: number
  /** The host of each process, by rank, where the workload manager tells it. @default only its own is known */
  readonly hosts?: readonly string[]
  /** What part of its node this process has been given. */
  readonly share: Share
  /** IP addresses of the host that started the processes, as the workload manager or the launcher has them. */
  readonly launcherAddresses?: readonly string[]
  /** Variables that tell this process its place: what it starts does not inherit them. @default those of srun and MPI launchers alone */
  readonly ofTask?: readonly string[]
  /** What tells this run from every other. */
  readonly runKey: RunKey
  /** Where rank and size were read, for people: `SLURM_NODEID=1 of SLURM_STEP_NUM_NODES=4`. */
  readonly source: string
}
