import type { EarlyExit } from '../rendezvous/rendezvous.ts'

/** When the job ends that a run is a part of, in milliseconds since 1970; or why that is not known. */
export type JobEnd = { readonly at: number } | { readonly why: string }

/** What the workload manager of a job can tell of it, and do to it. */
export interface WorkloadManager {
  /** When the job ends. `signal` ends the question: the run is over. */
  jobEnd(signal: AbortSignal): Promise<JobEnd>
  /** The step of the run. Missing if nothing but the job can be ended. */
  readonly step?: Step
  /** What ends the job, as people type it: its launcher may wait for a process that is lost. */
  readonly endCommand?: string | undefined
}

/** What the workload manager of a step can tell of its hosts, and do to it. */
export interface Step {
  /** Those of `ranks` that have not come and cannot, because their hosts are lost. */
  lostWithHost(ranks: readonly number[]): Promise<readonly EarlyExit[]>
  /** Whether the host of a rank answers. */
  hostAnswers(rank: number): Promise<boolean>
  /** Whether it cannot be told yet of some ranks that they are able to come. */
  readonly someDoubtful: boolean
  /** Has what is stopped of the step go on: before it came, it can tell nobody. Does not throw. */
  resumeStep(): Promise<void>
  /**
   * Asks every process of the step to end: the `absent` ranks have never come, and may be stopped or slow. Whoever has
   * ended keeps its exit status. Does not throw.
   */
  terminateStep(absent: readonly number[]): Promise<void>
  /** Has the step ended, which the `silent` ranks would hold. Does not throw. */
  cancelStep(silent: readonly number[]): Promise<void>
}
