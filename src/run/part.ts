import type { ClusterAddress, RunResult } from '../control/messages.ts'
import type { Recording } from '../record/run-report.ts'
import type { PublishedFile } from '../record/scheduler-file.ts'
import type { Phase } from './supervisor.ts'

/** What is done in one way in rank 0, and in another in all other ranks; what one of the two need not do, it lacks. */
export interface Part {
  /**
   * Joins the run, and waits until it is known where its scheduler will listen: rank 0 starts that.
   *
   * @param unusable why this process cannot use the certificates that the user has given; whoever can tell rank 0 does
   * @throws why there is no cluster to be had, RunIsOver, or the reason of the run's signal.
   */
  join(unusable: Error | undefined): Promise<ClusterAddress>
  /**
   * Waits for the cluster: its scheduler listens, and rank 0 publishes that.
   *
   * @throws why there is no cluster to be had, or RunIsOver.
   */
  awaitCluster(): Promise<PublishedFile>
  /** Waits until it is known whether this process reaches the scheduler, where that is being tried. Does not throw. */
  reachTried?(): Promise<void>
  /** Something failed here: tells whoever can be told, and gives how the run ends. */
  fail(error: unknown): Promise<RunResult>
  /** A defect ends this process: tells whoever can be told. */
  failByDefect(cause: Error): Promise<void>
  /** The inline client exits: does what can be done at once. */
  exitAtOnce?(): void
  /** What this process hosted has ended: leaves the run, or ends it. */
  leave(end: RunEnd): Promise<void>
  /** Removes what a rank 0 that is lost has published, and cannot remove itself. */
  withdrawForRank0?(result: RunResult): Promise<void>
  /** Has the workload manager end the step, if ranks that are lost may hold it and no other rank does so. */
  cancelStep(): Promise<void>
  /** Does not keep this process alive. */
  unref?(): void
  /** Ranks that fell silent without having told of their end: they may still be there, frozen or cut off. */
  readonly silent: readonly number[]
  /** This process writes the report of the run. */
  readonly isReporter: boolean
  /** What rank 0 has seen of the run, for the report. */
  readonly recording?: Recording | undefined
}

/** How a run ends, as seen in a process. */
export interface RunEnd {
  readonly result: RunResult
  /** Exit status of this process. */
  readonly status: number
  /** How far this process was when the end began. */
  readonly from: Phase
}
