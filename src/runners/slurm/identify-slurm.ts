import type { IdentityKind } from '../../options.ts'
import { mostProcesses } from '../../options/table.ts'
import { type Environment, identityError, readVariable, readWholeNumber, show } from '../../identity/environment.ts'
import type { Identity } from '../../identity/identity.ts'
import { findLauncherVariable } from '../launchers.ts'
import { expandCounts, expandNodeList } from '../../identity/node-list.ts'
import type { RunKey } from '../../identity/run-key.ts'
import { countNodes, nodeCounts, nodesInOrder } from './slurm-nodes.ts'
import { slurmShare } from './slurm-share.ts'

/** What {@link identifySlurm} takes beside the environment. */
export interface IdentifySlurmOptions {
  /** `auto`: the node where each has exactly one task, else the task. */
  readonly identity: IdentityKind
}

/** A host's name where the environment does not tell it. */
export const unknownHost = '?'

/**
 * Who this process is among the tasks of its Slurm step, from the variables that `srun` sets
 * (https://slurm.schedmd.com/srun.html#SECTION_OUTPUT-ENVIRONMENT-VARIABLES).
 *
 * @throws RunnerError with `ERR_ENVIRONMENT` where variables are missing, contradict each
 * other, were inherited from another step, or an MPI launcher started this process.
 */
export function identifySlurm(env: Environment, options: IdentifySlurmOptions): Identity {
  refuseLauncher(env)
  const runKey = readRunKey(env)
  const tasks = readSize(env, ['SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'])
  refuseInherited(env)
  const nodes = options.identity === 'task' ? undefined : chooseNodes(env, options.identity, tasks)
  const place = {
    host: readHost(env),
    nodes: countNodes(env) ?? tasks.value,
    share: slurmShare(env),
    launcherAddresses: launchNodeAddresses(env),
    runKey,
  }
  if (nodes === undefined) return { ...readRank(env, 'SLURM_PROCID', tasks), ...place }
  // Not needed here, but where it contradicts the step nothing else can be believed either.
  if (readVariable(env, 'SLURM_PROCID') !== undefined) readRank(env, 'SLURM_PROCID', tasks)
  return { ...readRank(env, 'SLURM_NODEID', nodes), ...place }
}

interface Size {
  readonly variable: string
  readonly value: number
}

function refuseLauncher(env: Environment): void {
  const variable = findLauncherVariable(env)
  if (variable === undefined) return
  throw identityError(
    `${show(env, variable)}, so an MPI launcher started it, not srun`,
    'use --runner mpi, or MPIRunner in place of SLURMRunner',
  )
}

function readRunKey(env: Environment): RunKey {
  const jobVariable = firstSet(env, ['SLURM_JOB_ID', 'SLURM_JOBID'])
  if (jobVariable === undefined)
    throw identityError(
      `${show(env, 'SLURM_JOB_ID')}, so this is no Slurm job, or a container that hides it`,
      'start me with srun inside of a job, with mpirun, or on one machine with "dask-hpc-runner local"',
    )
  const stepVariable = firstSet(env, ['SLURM_STEP_ID', 'SLURM_STEPID'])
  const step = stepVariable === undefined ? undefined : readWholeNumber(env, stepVariable)
  // Slurm numbers batch scripts, salloc's shells and their like from the end of 32 bits (slurm.h).
  if (step === undefined || step > 0xffff_fff0)
    throw identityError(
      `${show(env, jobVariable)} but ${show(env, stepVariable ?? 'SLURM_STEP_ID')}, ` +
        'so this is the script or the shell of the job and not one of its tasks',
      'start me with srun',
    )
  return {
    cluster: readVariable(env, 'SLURM_CLUSTER_NAME') ?? 'slurm',
    jobId: String(readWholeNumber(env, jobVariable)),
    stepId: String(step),
    restart: readWholeNumber(env, 'SLURM_RESTART_COUNT') ?? 0,
  }
}

function readSize(env: Environment, names: readonly [string, ...string[]]): Size {
  const variable = firstSet(env, names)
  const value = variable === undefined ? undefined : readWholeNumber(env, variable)
  if (variable === undefined || value === undefined)
    throw identityError(`${show(env, names[0])}, nor is ${names.slice(1).join(' or ')}`, 'start me with srun')
  if (value === 0) throw identityError(`${show(env, variable)}, and a run has at least 1`, 'check what changed it')
  if (value > mostProcesses)
    throw identityError(`${show(env, variable)}, and a run has up to ${mostProcesses}`, 'check what changed it')
  return { variable, value }
}

/** Refuses variables of another step: `sbatch` and `salloc` called inside of one pass them on. */
function refuseInherited(env: Environment): void {
  refuseDifferent(env, 'SLURM_NTASKS', 'SLURM_STEP_NUM_TASKS')
  // Beside the step's number of nodes, the job's tells no rank: one that cannot be read accuses nobody.
  if (/^[0-9]+$/.test(readVariable(env, 'SLURM_NNODES') ?? ''))
    refuseDifferent(env, 'SLURM_NNODES', 'SLURM_STEP_NUM_NODES')
  const host = readVariable(env, 'SLURMD_NODENAME')
  const hosts = expandNodeList(readVariable(env, 'SLURM_STEP_NODELIST') ?? '')
  if (host === undefined || hosts === undefined || hosts.includes(host)) return
  throw inheritedError(env, 'SLURMD_NODENAME', 'SLURM_STEP_NODELIST')
}

function refuseDifferent(env: Environment, own: string, step: string): void {
  const [a, b] = [readWholeNumber(env, own), readWholeNumber(env, step)]
  if (a !== undefined && b !== undefined && a !== b) throw inheritedError(env, own, step)
}

function inheritedError(env: Environment, own: string, step: string): Error {
  return identityError(
    `${show(env, own)} but ${show(env, step)}, so they were inherited from another step`,
    'start me with srun',
  )
}

/** The number of nodes where nodes tell processes apart; undefined where tasks do. */
function chooseNodes(env: Environment, wanted: 'auto' | 'node', tasks: Size): Size | undefined {
  const nodes = readSize(env, nodeCounts)
  const perNode = expandCounts(readVariable(env, 'SLURM_STEP_TASKS_PER_NODE') ?? '')
  if (tasks.value === nodes.value && (perNode?.every((count) => count === 1) ?? true)) return nodes
  if (wanted === 'auto') return undefined
  throw identityError(
    `identity "node" needs exactly one task on each node, and ${show(env, tasks.variable)} ` +
      `while ${show(env, nodes.variable)}`,
    'use identity "task" or "auto"',
  )
}

function readRank(env: Environment, variable: string, size: Size): Pick<Identity, 'rank' | 'size' | 'source'> {
  const rank = readWholeNumber(env, variable)
  if (rank === undefined) throw identityError(show(env, variable), 'start me with srun')
  if (rank >= size.value)
    throw identityError(
      `${show(env, variable)} but ${show(env, size.variable)}, and ranks count from 0`,
      'check what changed them',
    )
  return { rank, size: size.value, source: `${variable}=${rank} of ${size.variable}=${size.value}` }
}

function readHost(env: Environment): string {
  const name = readVariable(env, 'SLURMD_NODENAME')
  if (name !== undefined) return name
  const hosts = nodesInOrder(env)
  // Where each process finds itself by its task, a node's number that cannot be read costs only the host's name.
  const node = readVariable(env, 'SLURM_NODEID') ?? (hosts?.length === 1 ? '0' : '')
  return (/^[0-9]+$/.test(node) ? hosts?.[Number(node)] : undefined) ?? unknownHost
}

/** Where `srun` was started, as Slurm has it: loopback where the host's own name stands for that. */
export function launchNodeAddresses(env: Environment): readonly string[] {
  const address = readVariable(env, 'SLURM_LAUNCH_NODE_IPADDR')
  return address === undefined ? [] : [address]
}

function firstSet(env: Environment, names: readonly string[]): string | undefined {
  return names.find((name) => readVariable(env, name) !== undefined)
}
