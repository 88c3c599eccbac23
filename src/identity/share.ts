import { type Environment, readVariable, readWholeNumber } from './environment.ts'
import { expandCounts } from './node-list.ts'

/** What part of its node a process of the run has been given. */
export interface Share {
  /** Processes of the run on the node, this one included. */
  readonly processes: number
  /** CPUs of this process. Missing: the workload manager does not say. */
  readonly cpus?: number
  /** Memory of this process in bytes. Missing: the workload manager does not say. */
  readonly memory?: number
}

/** Slurm counts memory in megabytes of this many bytes. */
const megabyte = 1_048_576

/**
 * The share of a task of a Slurm step: the CPUs of its job on the node by the tasks of its step
 * there, and no more than `SLURM_CPUS_PER_TASK`; of memory likewise.
 */
export function slurmShare(env: Environment): Share {
  const processes = tasksOnNode(env)
  const perTask = readWholeNumber(env, 'SLURM_CPUS_PER_TASK')
  const onNode = readWholeNumber(env, 'SLURM_CPUS_ON_NODE')
  const limits = [onNode === undefined ? undefined : Math.floor(onNode / processes), perTask]
  const known = limits.filter((limit) => limit !== undefined && limit > 0) as number[]
  const cpus = known.length === 0 ? undefined : Math.min(...known)
  const memory = memoryOf(env, processes, cpus)
  return { processes, ...(cpus === undefined ? {} : { cpus }), ...(memory === undefined ? {} : { memory }) }
}

function tasksOnNode(env: Environment): number {
  const counts = expandCounts(
    readVariable(env, 'SLURM_STEP_TASKS_PER_NODE') ?? readVariable(env, 'SLURM_TASKS_PER_NODE') ?? '',
  )
  return counts?.[readWholeNumber(env, 'SLURM_NODEID') ?? -1] ?? 1
}

function memoryOf(env: Environment, processes: number, cpus: number | undefined): number | undefined {
  const perNode = readWholeNumber(env, 'SLURM_MEM_PER_NODE')
  const perCpu = readWholeNumber(env, 'SLURM_MEM_PER_CPU')
  // 0 stands for all of the node's memory.
  if (perNode !== undefined && perNode > 0) return Math.floor((perNode * megabyte) / processes)
  if (perCpu !== undefined && perCpu > 0 && cpus !== undefined) return perCpu * megabyte * cpus
  return undefined
}
