import { mostProcesses } from '../../options/table.ts'
import { type Environment, readVariable } from '../../identity/environment.ts'
import { expandNodeList } from '../../identity/node-list.ts'
import { type Amount, equalPart, type Share } from '../../identity/share.ts'
import { ShareVariables } from '../../identity/share-variables.ts'
import { formatCount } from '../../util/format.ts'
import { isHeterogeneous, requestVariables } from './slurm-component.ts'
import { countNodes, nodeCounts, nodesInOrder, taskCounts, tasksByNode } from './slurm-nodes.ts'

/** Processes that divide what Slurm has given on a node without being tasks of Slurm's, such as those of `mpirun`. */
export interface Sharing extends Pick<Share, 'processes' | 'localRank'> {
  /** Whether each of them is what the job asks for as a task. */
  readonly areTasks: boolean
}

/** The share of such processes; where there is no job of Slurm around them, they divide the machine. */
export function shareInJob(env: Environment, sharing: Sharing): Share {
  const { areTasks: _, ...processes } = sharing
  return readVariable(env, 'SLURM_JOB_ID') === undefined ? processes : slurmShare(env, sharing)
}

/**
 * What Slurm's variables say of a process's part of its node. All tasks on a node are taken to have equal
 * parts of what they have together.
 *
 * @param sharing who divides it, if not the tasks of the step
 */
export function slurmShare(env: Environment, sharing?: Sharing): Share {
  const variables = new ShareVariables(env)
  const { areTasks, ...tasks } = sharing ?? { areTasks: true, ...tasksHere(env, variables) }
  const { processes } = tasks
  const onNode = sharing === undefined || isUniform(env, variables) ? cpusOnNode(env, variables) : undefined
  const perTask = areTasks ? cpusPerTask(env, variables) : []
  return {
    ...tasks,
    cpus: [...(onNode === undefined ? [] : [equalPart(onNode.amount, onNode.source, processes)]), ...perTask],
    memory: [
      ...memoryAsked(env, variables, 'SLURM_MEM_PER_NODE').map(({ amount, source }) =>
        equalPart(amount, source, processes),
      ),
      ...memoryPerCpu(env, variables, { processes, onNode: onNode?.amount, perTask: smallest(perTask) }),
      ...memoryPerGpu(env, variables, processes),
    ],
    // Processes that one task has started see what that sees.
    ...(areTasks ? { gpus: gpusOfTasks(env, variables) } : {}),
    warnings: variables.warnings,
  }
}

/** `--gpus-per-task` and most of `--gpu-bind` give each task some of the step's GPUs. */
function gpusOfTasks(env: Environment, variables: ShareVariables): NonNullable<Share['gpus']> {
  const onNode = variables.number('SLURM_GPUS_ON_NODE')
  const bind = ['SLURMD_TRES_BIND', 'SLURM_TRES_BIND', 'SLURM_GPU_BIND'].map((name) => variables.text(name)).join(' ')
  const areBound =
    /\b(?:per_task|single|map|map_gpu|mask|mask_gpu|closest)\b/.test(bind) ||
    requestVariables(env, 'SLURM_GPUS_PER_TASK').length > 0 ||
    gpusInTres(env, variables) !== undefined
  return { areBound, ...(onNode === undefined || onNode === 0 ? {} : { onNode }) }
}

/** The tasks of the step on this node, and which of them this is. */
function tasksHere(env: Environment, variables: ShareVariables): Omit<Share, 'cpus' | 'memory'> {
  for (const name of nodeCounts) variables.number(name, mostProcesses)
  for (const name of taskCounts) variables.counts(name)
  const node = variables.number('SLURM_NODEID')
  const localRank = variables.number('SLURM_LOCALID')
  const counts = tasksByNode(env)
  const here = node === undefined ? undefined : counts?.[node]
  // A node that is not known may be that with the most tasks.
  const processes = Math.max(
    1,
    here ??
      (counts === undefined
        ? tasksByRequest(env, variables)
        : counts.reduce((most, count) => Math.max(most, count), 0)),
  )
  return { processes, ...tasksOfAllComponents(env, counts, node), ...(localRank === undefined ? {} : { localRank }) }
}

/** Where nothing tells of the nodes' tasks: no node has more than these. */
function tasksByRequest(env: Environment, variables: ShareVariables): number {
  const tasks = variables.firstNumber(['SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'])
  return variables.number('SLURM_NTASKS_PER_NODE') ?? Math.ceil((tasks ?? 1) / (countNodes(env) ?? 1))
}

/** A node that is in two components of a heterogeneous job has two node ids. */
function tasksOfAllComponents(
  env: Environment,
  counts: readonly number[] | undefined,
  node: number | undefined,
): { readonly processesOnNode?: number } {
  const nodes = nodesInOrder(env)
  const host = node === undefined ? undefined : nodes?.[node]
  if (host === undefined || counts === undefined || nodes?.length !== counts.length) return {}
  const here = counts.filter((_, id) => nodes[id] === host)
  return here.length < 2 ? {} : { processesOnNode: here.reduce((sum, count) => sum + count, 0) }
}

/** An MPI launcher may hand the variables of its own node to all others. */
function isUniform(env: Environment, variables: ShareVariables): boolean {
  const counts = requestVariables(env, 'SLURM_JOB_CPUS_PER_NODE').flatMap((name) => variables.counts(name) ?? [])
  return new Set(counts).size < 2
}

/** CPUs that the tasks of this node have together. */
function cpusOnNode(env: Environment, variables: ShareVariables): Amount | undefined {
  const amount = variables.number('SLURM_CPUS_ON_NODE')
  if (amount !== undefined && amount > 0) return { amount, source: 'SLURM_CPUS_ON_NODE' }
  const host = variables.text('SLURMD_NODENAME')
  for (const source of requestVariables(env, 'SLURM_JOB_CPUS_PER_NODE')) {
    const counts = variables.counts(source)
    const nodes = expandNodeList(variables.text(source.replace('CPUS_PER_NODE', 'NODELIST'))) ?? []
    // Where the node's place is not known, the least that a node has.
    const here =
      counts?.[nodes.indexOf(host)] ?? (counts ?? []).reduce((least, count) => Math.min(least, count), Infinity)
    if (Number.isFinite(here) && here > 0) return { amount: here, source }
  }
  return undefined
}

/** In a heterogeneous job the plain variable may be that of any component. */
function cpusPerTask(env: Environment, variables: ShareVariables): readonly Amount[] {
  const names = requestVariables(env, 'SLURM_CPUS_PER_TASK')
  const own = isHeterogeneous(env) ? names.filter((name) => name !== 'SLURM_CPUS_PER_TASK') : names
  const said = own.flatMap((source) => positive(variables.number(source), source))
  if (said.length > 0 || isHeterogeneous(env)) return said
  // Slurm 23.11 and newer: cpu=2,gres/gpu=1
  const [, cpus] = /(?:^|,)cpu[=:]([0-9]+)(?=,|$)/.exec(variables.text('SLURM_TRES_PER_TASK')) ?? []
  return positive(Number(cpus), 'SLURM_TRES_PER_TASK')
}

/** The amounts of memory that are asked for under a name. 0 stands for all of the node's memory. */
function memoryAsked(env: Environment, variables: ShareVariables, name: string): readonly Amount[] {
  return requestVariables(env, name).flatMap((each) => positive(variables.bytes(each), each))
}

interface Cpus {
  readonly processes: number
  readonly onNode: number | undefined
  readonly perTask: number | undefined
}

/** The CPUs of a task are its part of those on the node, and no more than were asked for it. */
function memoryPerCpu(
  env: Environment,
  variables: ShareVariables,
  { processes, onNode = Infinity, perTask = Infinity }: Cpus,
): readonly Amount[] {
  return memoryAsked(env, variables, 'SLURM_MEM_PER_CPU').map(({ amount, source }) => {
    if (onNode / processes <= perTask && Number.isFinite(onNode))
      return equalPart(amount * onNode, `${source} × ${formatCount(onNode, 'CPU')}`, processes)
    const cpus = Number.isFinite(perTask) ? perTask : 1
    return { amount: amount * cpus, source: `${source} × ${formatCount(cpus, 'CPU')}` }
  })
}

function memoryPerGpu(env: Environment, variables: ShareVariables, processes: number): readonly Amount[] {
  const gpus = gpusOnNode(env, variables, processes)
  // A node without any, in a job that asks by GPU: this tells nothing of its memory.
  if (gpus === undefined || gpus === 0) return []
  return memoryAsked(env, variables, 'SLURM_MEM_PER_GPU').map(({ amount, source }) =>
    equalPart(amount * gpus, `${source} × ${formatCount(gpus, 'GPU')}`, processes),
  )
}

/** GPUs that the tasks of this node have together; undefined where nothing tells. */
function gpusOnNode(env: Environment, variables: ShareVariables, processes: number): number | undefined {
  const onNode = variables.number('SLURM_GPUS_ON_NODE')
  if (onNode !== undefined) return onNode
  // SLURM_STEP_GPUS comes last: where Slurm binds each task to its GPUs, it names only those.
  const [perTask, perNode] = ['SLURM_GPUS_PER_TASK', 'SLURM_GPUS_PER_NODE'].map((name) =>
    requestVariables(env, name).map((each) => countGpus(variables.text(each))),
  )
  return (
    countIds(variables.text('SLURM_JOB_GPUS')) ??
    perNode?.[0] ??
    ofTasks(perTask?.[0] ?? gpusInTres(env, variables), processes) ??
    countIds(variables.text('SLURM_STEP_GPUS'))
  )
}

function ofTasks(gpusPerTask: number | undefined, processes: number): number | undefined {
  return gpusPerTask === undefined ? undefined : gpusPerTask * processes
}

/** Slurm 23.11 and newer, of each task: `cpu=2,gres/gpu:a100=1`. Where there are several types, all of them, unless that is said. */
function gpusInTres(env: Environment, variables: ShareVariables): number | undefined {
  if (isHeterogeneous(env)) return undefined
  const found = variables
    .text('SLURM_TRES_PER_TASK')
    .split(',')
    .flatMap((item) => {
      const [, type, count] = /^gres[/:]gpu(:[^=:]+)?[=:]([0-9]+)$/.exec(item) ?? []
      return count === undefined ? [] : [{ isOfAll: type === undefined, count: Number(count) }]
    })
  const all = found.find(({ isOfAll }) => isOfAll)?.count ?? found.reduce((sum, { count }) => sum + count, 0)
  return all === 0 ? undefined : all
}

/** `4`, or by type: `a100:2,v100:1` is 3. */
function countGpus(text: string): number | undefined {
  const counts = text.split(',').map((item) => Number(/^(?:.*[:=])?([0-9]+)$/.exec(item)?.[1] ?? NaN))
  const sum = counts.reduce((a, b) => a + b, 0)
  return Number.isNaN(sum) ? undefined : sum
}

/** The length of a list such as `0,2-3`. */
function countIds(text: string): number | undefined {
  return expandNodeList(`[${text}]`)?.length
}

function positive(amount: number | undefined, source: string): readonly Amount[] {
  return amount !== undefined && amount > 0 ? [{ amount, source }] : []
}

function smallest(amounts: readonly Amount[]): number | undefined {
  return amounts.length === 0 ? undefined : Math.min(...amounts.map(({ amount }) => amount))
}
