import { type Environment, readVariable } from '../../identity/environment.ts'
import type { Identity } from '../../identity/identity.ts'
import { unknownHost } from './identify-slurm.ts'
import { isHeterogeneous } from './slurm-component.ts'
import { nodesInOrder, tasksByNode } from './slurm-nodes.ts'

/**
 * The host of every process of a Slurm step, by rank, as far as the environment of one of them tells:
 * from the step's nodes, the tasks on each, and how tasks are laid out on them. A host that cannot be
 * known is `?`.
 */
export function slurmHosts(env: Environment, me: Identity): readonly string[] {
  const hosts = layOut(env, me.size)
  // What does not even have this process's own place right is not the order of this step.
  const known = hosts?.length === me.size && hosts[me.rank] === me.host ? hosts : undefined
  return Array.from({ length: me.size }, (_, rank) => (rank === me.rank ? me.host : (known?.[rank] ?? unknownHost)))
}

function layOut(env: Environment, size: number): readonly string[] | undefined {
  const nodes = nodesInOrder(env)
  // Every node of a step has a task, so as many processes as nodes are one on each.
  if (nodes === undefined || nodes.length === size) return nodes
  const counts = tasksByNode(env)
  if (counts?.length !== nodes.length || counts.reduce((sum, count) => sum + count, 0) !== size) return undefined
  // block, cyclic, block:cyclic, cyclic:block, …: the first word is about nodes.
  const [distribution] = (readVariable(env, 'SLURM_DISTRIBUTION') ?? '').split(/[:,]/)
  if (distribution === 'block' || nodes.length === 1) return block(nodes, counts)
  // In a heterogeneous step each component goes round its own nodes only.
  return distribution === 'cyclic' && !isHeterogeneous(env) ? cyclic(nodes, counts) : undefined
}

function block(nodes: readonly string[], counts: readonly number[]): readonly string[] {
  return nodes.flatMap((node, i) => Array<string>(counts[i] ?? 0).fill(node))
}

function cyclic(nodes: readonly string[], counts: readonly number[]): readonly string[] {
  const rounds = counts.reduce((most, count) => Math.max(most, count), 0)
  return Array.from({ length: rounds }, (_, round) => nodes.filter((_node, i) => (counts[i] ?? 0) > round)).flat()
}
