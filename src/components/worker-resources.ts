/** What a process has for its workers. */
export interface ProcessResources {
  /** CPUs that the process may run on. */
  readonly affinity: number
  /** Limit of the cgroup, which all processes of the run on this node may share. In bytes. */
  readonly cgroupMemory: number | undefined
  /** Processes of the run on this node. */
  readonly processes: number
  /** What the workload manager has given to this process; memory in bytes. */
  readonly share: { readonly cpus?: number; readonly memory?: number }
}

/** What one worker gets. */
export interface WorkerResources {
  readonly nthreads: number
  /** In bytes. Undefined: Dask's own choice, the node's memory in proportion to the threads. */
  readonly memoryLimit: string | undefined
}

/**
 * The share of each of `nworkers` workers: their process's share of its node and no more, at least
 * one thread.
 */
export function shareAmong(nworkers: number, resources: ProcessResources): WorkerResources {
  const { affinity, cgroupMemory, processes, share } = resources
  const cpus = Math.min(affinity, share.cpus ?? Infinity)
  const memory = share.memory ?? (cgroupMemory === undefined ? undefined : cgroupMemory / processes)
  return {
    nthreads: Math.max(1, Math.floor(cpus / nworkers)),
    memoryLimit: memory === undefined ? undefined : String(Math.floor(memory / nworkers)),
  }
}
