import type { ClusterRecord } from '../record/cluster-record.ts'
import type { Failure, OutcomeRecord } from '../record/outcome-record.ts'
import type { PublishedFile, SchedulerFile } from '../record/scheduler-file.ts'
import type { EndMarker } from '../process/reaper-orders.ts'
import type { OwnDirectory } from '../util/own-directory.ts'
import type { Found } from './found.ts'

/** What rank 0 of a run makes on the filesystem, as absolute paths. It is removed even if rank 0 is killed. */
export interface CleanupList {
  /** Each carries the nonce of its run; one that another run has written since is left. */
  readonly files: readonly string[]
  /** Of this run alone; they stay as long as a process of the run may still come and look. */
  readonly directories: readonly OwnDirectory[]
  /** An empty file that is made if this process is killed, for those who come and look. */
  readonly endMarker?: EndMarker
}

/** A process that ended before it had joined its run. */
export interface EarlyExit {
  readonly rank: number
  /** Why, where it could still say so. */
  readonly failure?: Failure | undefined
  /** It has left no word: its host does not answer, and may still hold what the run has there. */
  readonly silent?: boolean
}

/** How what rank 0 publishes reaches the other processes of its run. What there is no need for may be missing. */
export interface Rendezvous {
  /**
   * Called in every process before anything else.
   *
   * @throws RunnerError if the processes cannot meet there.
   */
  prepare(): Promise<void>
  /**
   * Rank 0 lets the others know where it listens, before there is a scheduler, and makes sure that this run may publish.
   *
   * @throws RunnerError ERR_CANNOT_PUBLISH
   */
  announce(record: ClusterRecord): Promise<void>
  /** Resolves in rank 0 when that has reached all who must have come before a program may begin. @throws RunnerError if it cannot. */
  met?(): Promise<void>
  /**
   * The cluster of an existing scheduler file, for a run that only adds workers to it.
   *
   * @param onFound called with each file that is seen there, before its scheduler is asked
   */
  findExisting(onFound: (file: SchedulerFile) => Promise<void>): Promise<SchedulerFile>
  /** Rank 0 publishes the cluster. @throws RunnerError ERR_CANNOT_PUBLISH */
  publish(file: PublishedFile): Promise<void>
  /**
   * Waits for what rank 0 publishes.
   *
   * @param dead nonces of records that are known not to answer
   * @throws RunnerError if nothing comes in time, or the signal's reason.
   */
  lookUp(dead: ReadonlySet<string>, signal: AbortSignal): Promise<Found>
  /** Another process than rank 0 has heard of the cluster, over its channel. Does not throw. */
  hear?(file: PublishedFile): Promise<void>
  /** Whether this process is the first to end because rank 0 is not to be had; true if that cannot be found out. Does not throw. */
  claimCause?(): Promise<boolean>
  /**
   * Whether this process is the first to say that rank 0, which all had joined, has ended; false if that cannot be found out. Others are kept
   * from it until this process has ended. Does not throw.
   */
  claimLoss?(): Promise<boolean>
  /** Leaves word that this process ends before it has joined the run, and why. Does not throw. */
  leaveEarlyExit(failure?: Failure): Promise<void>
  /** The ranks that have left such word, or cannot come. Called again and again. */
  earlyExits(): Promise<readonly EarlyExit[]>
  /** Lets the others know that there is no cluster, or none any more. Does not throw. */
  publishOutcome(outcome: OutcomeRecord): Promise<void>
  /** The same for a process that is exiting and can wait for nothing. */
  publishOutcomeAtOnce?(outcome: OutcomeRecord): void
  /** Rank 0 has failed before it listens: tells the others, who wait for it, and withdraws. Does not throw. */
  endAlone(outcome: OutcomeRecord): Promise<void>
  /** Removes what was published, and leaves `word` for processes that may still come. Does not throw. */
  withdraw(word?: OutcomeRecord): Promise<void>
  /** The same if rank 0 has published nothing. Does not throw. */
  withdrawUnpublished(): Promise<void>
  /** Whether rank 0 has left word of the end, as far as shows to a process that has not joined it. */
  isOver?(): Promise<boolean>
  /** Why processes of other hosts cannot come, of which none has. */
  whyNobodyComes?(): Promise<Error | undefined>
  /** How long a rank 0 that has ended may take to be replaced by a newer start of the same run. */
  readonly replacementMs: number
  /** What rank 0 has made on the filesystem. */
  readonly cleanupList: CleanupList
}
