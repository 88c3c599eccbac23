import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { countCpus, type GroupLimits, groupLimits, type ReadText } from './cgroup.ts'

/** What this machine and its kernel let this process have. */
export interface NodeLimits {
  /** CPUs of the machine. */
  readonly cpus: number
  /** CPUs that this process may run on. */
  readonly affinity: number
  /** Memory of the machine in bytes. */
  readonly memory: number
  /** RLIMIT_RSS in bytes: workload managers leave there what they have given. Undefined: no limit. */
  readonly residentSet: number | undefined
  readonly groups: GroupLimits
}

/** Looks at the limits of this process. */
export function readNodeLimits(read: ReadText = readText): NodeLimits {
  return {
    cpus: countCpus(read('/sys/devices/system/cpu/online') ?? '') || Math.max(1, cpus().length),
    affinity: availableParallelism(),
    memory: totalmem(),
    residentSet: parseResidentSet(read('/proc/self/limits') ?? ''),
    groups: groupLimits(read),
  }
}

/** The soft limit in the text of /proc/self/limits. */
export function parseResidentSet(text: string): number | undefined {
  const [, soft] = /^Max resident set +(\d+)/m.exec(text) ?? []
  return soft === undefined || Number(soft) === 0 ? undefined : Number(soft)
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
