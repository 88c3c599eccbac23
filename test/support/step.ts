import type { Cluster, Started } from './cluster.ts'
import { slurmEnvironment } from './environment.ts'

type Environment = Readonly<Record<string, string>>

/** The four tasks of a step on four nodes: 0, 1 and 3 as captured, 2 as it must have been. */
export function fourTasks(changes: Environment = {}): Environment[] {
  const of = (rank: number, more: Environment = {}): Environment =>
    slurmEnvironment(`step-4nodes-1task-each-proc${rank}`, { ...more, ...changes })
  const second = { SLURM_PROCID: '2', SLURM_NODEID: '2', SLURM_GTIDS: '2', SLURMD_NODENAME: 'node2' }
  return [of(0), of(1), of(1, second), of(3)]
}

/** The six tasks of a step on three nodes, two on each: 0, 3 and 5 as captured. */
export function sixTasks(): Environment[] {
  const of = (rank: number, changes: Environment = {}): Environment =>
    slurmEnvironment(`step-3nodes-6tasks-proc${rank}`, changes)
  return [
    of(0),
    of(0, { SLURM_PROCID: '1', SLURM_LOCALID: '1' }),
    of(3, { SLURM_PROCID: '2', SLURM_LOCALID: '0' }),
    of(3),
    of(5, { SLURM_PROCID: '4', SLURM_LOCALID: '0' }),
    of(5),
  ]
}

/** The two tasks of a step on two nodes, of which the second was captured. */
export function twoTasks(capture: string): Environment[] {
  const first = { SLURM_PROCID: '0', SLURM_NODEID: '0', SLURM_GTIDS: '0', SLURMD_NODENAME: 'node0' }
  return [slurmEnvironment(capture, first), slurmEnvironment(capture)]
}

/** Starts a `run` process for each of the tasks, at once. */
export function startTasks(cluster: Cluster, tasks: readonly Environment[], args: readonly string[]): Started[] {
  return tasks.map((env) => cluster.run(['run', ...args], env))
}
