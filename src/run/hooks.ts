import type { Identity } from '../identity/identity.ts'
import type { Role } from '../identity/roles.ts'
import type { Found } from '../rendezvous/found.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import type { Failure, OutcomeRecord } from '../record/outcome-record.ts'
import type { PublishedFile, SchedulerFile } from '../record/scheduler-file.ts'
import type { EarlyExit } from '../rendezvous/early-exits.ts'
import type { Note } from '../process/reaper-orders.ts'
import type { OwnDirectory } from '../util/own-directory.ts'
import type { Context, RunContext } from '../identity/run-context.ts'

/** What process 0 of a run makes on the filesystem, as absolute paths. It is removed even where that is killed. */
export interface Leavings {
  /** Each carries the nonce of its run; one that another run has written since is left. */
  readonly files: readonly string[]
  /** Of this run alone; they stay as long as a process of the run may still come and look. */
  readonly directories: readonly OwnDirectory[]
  /** An empty file that is made where this process is killed, for those who come and look. */
  readonly note?: Note
}

/**
 * What differs from one kind of run to another: how a process learns who it is, and how what process
 * 0 publishes reaches the others. The abstract ones have to be there; the others may be overridden.
 */
export abstract class RunnerHooks {
  /** The roles of a process. */
  protected abstract getRoles(me: Identity): readonly Role[]
  /** Who this process is. */
  protected abstract identify(context: Context): Promise<Identity> | Identity
  /** Where this process has the scheduler file: at the path of the options, unless a subclass says otherwise. */
  protected async schedulerFileFor(path: string, _me: Identity): Promise<string> {
    return await Promise.resolve(path)
  }
  /** Called in every process before anything is published or looked up. */
  protected abstract prepare(run: RunContext): Promise<void>
  /** The cluster of an existing scheduler file, for a run that only adds workers to it. */
  protected abstract findExisting(run: RunContext): Promise<SchedulerFile>
  /**
   * Called in rank 0 before there is a scheduler: lets the other processes know where it listens, and makes sure that
   * this run may publish.
   */
  protected abstract announce(record: ClusterRecord, run: RunContext): Promise<void>
  /** Lets the other processes know where the cluster is. */
  protected abstract publish(file: PublishedFile, run: RunContext): Promise<void>
  /** Lets the other processes know that there is no cluster, or none any more. Does not throw. */
  protected abstract publishOutcome(outcome: OutcomeRecord, run: RunContext): Promise<void>
  /** The same for a process that is exiting and can wait for nothing. */
  protected abstract publishOutcomeAtOnce(outcome: OutcomeRecord, run: RunContext): void
  /** Waits for what process 0 publishes; records with a nonce in `dead` are known not to answer. */
  protected abstract lookUp(run: RunContext, dead: ReadonlySet<string>): Promise<Found>
  /** Removes what was published, and leaves `tombstone` where processes may still come. Does not throw. */
  protected abstract withdraw(run: RunContext, tombstone: OutcomeRecord | undefined): Promise<void>

  /** Why the other processes cannot come, where process 0 can tell. */
  protected whyNobodyComes(_run: RunContext): Promise<Error | undefined> {
    return Promise.resolve(undefined)
  }
  /** Leaves word that this process ends before it has joined the run, and why. Does not throw. */
  protected async leaveEarlyExit(_run: RunContext, _failure?: Failure): Promise<void> {
    await Promise.resolve()
  }
  /** Process 0 has failed before it listens: tells the others, who wait for it. Does not throw. */
  protected async endAlone(outcome: OutcomeRecord, run: RunContext): Promise<void> {
    await this.publishOutcome(outcome, run)
  }
  /** Those of the `missing` processes that have left such word, or cannot come. Called again and again. */
  protected async earlyExits(_run: RunContext, _missing: readonly number[]): Promise<readonly EarlyExit[]> {
    return await Promise.resolve([])
  }
  /** Whether it cannot be told yet of some of the missing processes that they are able to come. */
  protected someDoubtful(): boolean {
    return false
  }
  /** Whether the workload manager can end the step, which is then not left to processes that never came. */
  protected canReleaseStep(): boolean {
    return false
  }
  /** Whether all processes of the run are on this host, so that nothing has to listen beyond it. */
  protected isOnOneHost(): boolean {
    return false
  }
  /** Removes what a run has left whose process 0 has published nothing. Does not throw. */
  protected async removeUnlessPublished(_run: RunContext): Promise<void> {
    await Promise.resolve()
  }
  /** Whether process 0 has ended the run, and its host is not cut off, as far as shows to one that has not joined it. */
  protected async isOver(_run: RunContext): Promise<boolean> {
    return await Promise.resolve(false)
  }
  /** Has the workload manager wake what is stopped of the step: before it came, it can tell nobody. Does not throw. */
  protected async wakeStep(_run: RunContext): Promise<void> {
    await Promise.resolve()
  }
  /** Has the workload manager end the step, which the `silent` ranks would hold. Does not throw. */
  protected async releaseStep(_run: RunContext, _silent: readonly number[]): Promise<void> {
    await Promise.resolve()
  }
  /** How long a process 0 that has ended may take to be replaced by a newer start of the same run. In milliseconds. */
  protected replacementTime(): number {
    return 15_000
  }
  /** What process 0 has made on the filesystem. */
  protected leavings(_run: RunContext): Leavings {
    return { files: [], directories: [] }
  }
  /**
   * Called when this process has nothing more to host.
   *
   * @param _told that the other processes have been told of the end
   */
  protected async afterEnd(_run: RunContext, _told: boolean): Promise<void> {
    await Promise.resolve()
  }
  protected async beforeSchedulerStart(_run: RunContext): Promise<void> {
    await Promise.resolve()
  }
  protected async onSchedulerStart(_run: RunContext, _scheduler: SchedulerFile): Promise<void> {
    await Promise.resolve()
  }
  protected async beforeWorkerStart(_run: RunContext): Promise<void> {
    await Promise.resolve()
  }
  /** Called for each worker of this process, when it is running. */
  protected async onWorkerStart(_run: RunContext, _name: string): Promise<void> {
    await Promise.resolve()
  }
  protected async beforeClientStart(_run: RunContext): Promise<void> {
    await Promise.resolve()
  }

  /** The hooks for a run: only a subclass sees them otherwise. */
  protected lend() {
    return {
      identify: this.identify.bind(this),
      getRoles: this.getRoles.bind(this),
      schedulerFileFor: this.schedulerFileFor.bind(this),
      prepare: this.prepare.bind(this),
      findExisting: this.findExisting.bind(this),
      announce: this.announce.bind(this),
      publish: this.publish.bind(this),
      publishOutcome: this.publishOutcome.bind(this),
      publishOutcomeAtOnce: this.publishOutcomeAtOnce.bind(this),
      lookUp: this.lookUp.bind(this),
      withdraw: this.withdraw.bind(this),
      whyNobodyComes: this.whyNobodyComes.bind(this),
      leaveEarlyExit: this.leaveEarlyExit.bind(this),
      endAlone: this.endAlone.bind(this),
      earlyExits: this.earlyExits.bind(this),
      someDoubtful: this.someDoubtful.bind(this),
      canReleaseStep: this.canReleaseStep.bind(this),
      isOnOneHost: this.isOnOneHost.bind(this),
      removeUnlessPublished: this.removeUnlessPublished.bind(this),
      isOver: this.isOver.bind(this),
      wakeStep: this.wakeStep.bind(this),
      releaseStep: this.releaseStep.bind(this),
      replacementTime: this.replacementTime.bind(this),
      leavings: this.leavings.bind(this),
      afterEnd: this.afterEnd.bind(this),
      beforeSchedulerStart: this.beforeSchedulerStart.bind(this),
      onSchedulerStart: this.onSchedulerStart.bind(this),
      beforeWorkerStart: this.beforeWorkerStart.bind(this),
      onWorkerStart: this.onWorkerStart.bind(this),
      beforeClientStart: this.beforeClientStart.bind(this),
    } as const
  }
}

/** The hooks of a runner, for its run. */
export type LentHooks = ReturnType<RunnerHooks['lend']>
