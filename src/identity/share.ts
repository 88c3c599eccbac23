/** So much of something, and where that number comes from, for people: `SLURM_MEM_PER_NODE ÷ 2 tasks`. */
export interface Amount {
  readonly amount: number
  readonly source: string
}

/** What part of its node a process of the run has been given, as far as its environment tells. */
export interface Share {
  /** Processes of the run that divide what the run has been given on this node, this one included. */
  readonly processes: number
  /** Processes of the run on the node: more than `processes` where two parts of a job meet there. @default processes */
  readonly processesOnNode?: number
  /** Which of `processes` this is, from 0. Missing: nothing tells. */
  readonly localRank?: number
  /** CPUs of this process, by each source that tells of them. The smallest counts. @default none */
  readonly cpus?: readonly Amount[]
  /** Memory of this process in bytes, by each source that tells of it. The smallest counts. @default none */
  readonly memory?: readonly Amount[]
  /** What is known of the node's GPUs. @default each process sees the same */
  readonly gpus?: {
    /** How many there are for all of `processes`. Missing: nothing tells. */
    readonly onNode?: number
    /** Whether each process has been bound to some of them. */
    readonly areBound: boolean
  }
  /** Variables that could not be read, in words. They tell no rank, so that the run goes on without them. @default none */
  readonly warnings?: readonly string[]
}

/** `name ÷ 2 tasks`; for a task that is alone, `name`. */
export function divided(name: string, processes: number): string {
  return processes === 1 ? name : `${name} ÷ ${processes} tasks`
}

/** A source that tells of all tasks of the node together; they get equal parts of it. */
export function equalPart(amount: number, name: string, processes: number): Amount {
  return { amount: amount / processes, source: divided(name, processes) }
}
