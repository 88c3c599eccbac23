import { type Amount, divided, equalPart, type Share } from '../identity/share.ts'
import type { GroupLimit } from '../process/cgroup.ts'
import type { NodeLimits } from '../process/limits.ts'

/** What a process of the run has for its workers, and where each number comes from. */
export interface TaskShare {
  /** May be less than one, where several tasks share a CPU. */
  readonly cpus: Amount
  /** In bytes. */
  readonly memory: Amount
}

/**
 * The share of its node that a process has: of all that tells of it, the smallest. Whatever is said of
 * several processes together is divided equally among them.
 */
export function taskShare(share: Share, limits: NodeLimits): TaskShare {
  const { processes, processesOnNode = processes } = share
  const ofGroup = ({ amount, file, isOwn }: GroupLimit): Amount => equalPart(amount, file, isOwn ? 1 : processes)
  const { residentSet, groups } = limits
  // Whoever gives tasks their CPUs has counted them: then what the kernel lets each run on is only a bound.
  const cpuSharers = (share.cpus ?? []).length > 0 ? 1 : processesOnNode
  return {
    cpus: smallest([
      ...(share.cpus ?? []),
      ofAffinity(cpuSharers === 1 ? 1 : processes, limits),
      ...groups.cpus.map(ofGroup),
      equalPart(limits.cpus, "the machine's CPUs", cpuSharers),
    ]),
    memory: smallest([
      ...(share.memory ?? []),
      ...(residentSet === undefined ? [] : [equalPart(residentSet, 'RLIMIT_RSS', processes)]),
      ...groups.memory.map(ofGroup),
      equalPart(limits.memory, "the machine's memory", processesOnNode),
    ]),
  }
}

/** A process that may use all CPUs of its group is not bound to some of them: so may the others of the node. */
function ofAffinity(processes: number, { affinity, cpus, groups }: NodeLimits): Amount {
  const isBound = affinity < Math.min(cpus, groups.cpuset ?? cpus)
  return { amount: isBound ? affinity : affinity / processes, source: divided('affinity', isBound ? 1 : processes) }
}

/** The first of those that are smallest. */
function smallest(amounts: readonly Amount[]): Amount {
  return amounts.reduce((least, each) => (each.amount < least.amount ? each : least))
}
