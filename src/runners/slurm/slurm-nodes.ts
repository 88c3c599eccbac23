import { mostProcesses } from '../../options/table.ts'
import { type Environment, readVariable } from '../../identity/environment.ts'
import { expandCounts, expandNodeList } from '../../identity/node-list.ts'
import { components } from './slurm-component.ts'

/** Inside of a step SLURM_NNODES is the step's; SLURM_JOB_NUM_NODES stays the job's. */
export const nodeCounts = ['SLURM_STEP_NUM_NODES', 'SLURM_NNODES', 'SLURM_JOB_NUM_NODES'] as const

/** How many nodes the step has; undefined where that is not said, or cannot be: each node of a step has a process. */
export function countNodes(env: Environment): number | undefined {
  const texts = nodeCounts.map((name) => readVariable(env, name) ?? '')
  return texts
    .filter((each) => /^[0-9]+$/.test(each))
    .map(Number)
    .find((count) => count <= mostProcesses)
}

/**
 * The step's nodes in the order of their node ids. A workload manager that knows no steps names those of
 * the job, which count where there are as many of them as the processes are on.
 */
export function nodesInOrder(env: Environment): readonly string[] | undefined {
  const step = expandNodeList(readVariable(env, 'SLURM_STEP_NODELIST') ?? '')
  if (step !== undefined) return inOrderOfComponents(env, step)
  const count = countNodes(env)
  const lists = ['SLURM_NODELIST', 'SLURM_JOB_NODELIST'].map((name) => expandNodeList(readVariable(env, name) ?? ''))
  return lists.find((list) => list !== undefined && (count === undefined || list.length === count))
}

/** In a heterogeneous job the step's list is sorted by name, while ids run through one component after the other. */
function inOrderOfComponents(env: Environment, listed: readonly string[]): readonly string[] | undefined {
  const ofComponents = components(env)
  if (ofComponents.length < 2) return listed
  const nodes = ofComponents.flatMap((component) => component.nodes).filter((node) => listed.includes(node))
  return nodes.length === listed.length ? nodes : undefined
}

/** Variables with the number of tasks on each node. */
export const taskCounts = ['SLURM_STEP_TASKS_PER_NODE', 'SLURM_TASKS_PER_NODE'] as const

/** The number of tasks on each node, by node id; undefined where that is not said of so many nodes. */
export function tasksByNode(env: Environment): readonly number[] | undefined {
  const nodes = countNodes(env) ?? nodesInOrder(env)?.length ?? 1
  const said = taskCounts.map((name) => expandCounts(readVariable(env, name) ?? ''))
  return said
    .map((counts) => (counts?.length === 1 ? Array<number>(nodes).fill(counts[0] ?? 1) : counts))
    .find((counts) => counts?.length === nodes)
}
