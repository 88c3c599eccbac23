import { availableParallelism, totalmem } from 'node:os'

/** The CPUs that the kernel lets this process run on: its affinity. */
export function affinity(): number {
  return availableParallelism()
}

/** The memory in bytes that this process's cgroup is limited to, or undefined where it is not. */
export function cgroupMemory(): number | undefined {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : undefined
}
