import { dirname } from 'node:path'
import { exitStatuses, messageOf } from '../../errors.ts'
import { replaceFile } from '../../filesystem/replace-file.ts'
import { checkWorld } from './identify-mpi.ts'
import { InterruptedError, type RunContext } from '../../identity/run-context.ts'
import type { MpiHelper } from './library/helper.ts'
import type { Reaper } from '../../process/reaper.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import type { Failure, OutcomeRecord } from '../../record/outcome-record.ts'
import { formatSchedulerFile } from '../../record/parse.ts'
import type { PublishedFile, SchedulerFile } from '../../record/scheduler-file.ts'
import { BroadcastStore, type BroadcastStoreOptions } from './broadcast-store.ts'
import type { EarlyExit } from '../../rendezvous/rendezvous.ts'
import { FileRendezvous } from '../../rendezvous/file/file-rendezvous.ts'
import type { Found } from '../../rendezvous/found.ts'
import type { CleanupList, Rendezvous } from '../../rendezvous/rendezvous.ts'
import { type DirectoryKeeper, makeOwnDirectory } from '../../util/own-directory.ts'
import { settledWithin, sleep, untilAborted } from '../../util/wait.ts'

/** How long `MPI_Abort` may take, once it is called. */
const abortTimeoutMs = 2_000
/** A launcher drops what it has not read of our output when it ends the ranks. In milliseconds. */
const readingMs = 250

/** What the rendezvous over MPI needs beside the run. */
export interface MpiRendezvousOptions {
  /** The process in which the library is loaded. */
  readonly helper: BroadcastStoreOptions['helper'] & Pick<MpiHelper, 'hasWorld' | 'abort'>
  readonly reaper: DirectoryKeeper & Pick<Reaper, 'setLock'>
  /** Whether each process that needs it has a scheduler file of its own. */
  readonly ownFile: boolean
  /** In rank 0, if the cluster is published at a file as well. */
  readonly file?: FileRendezvous
}

/**
 * The ranks of an MPI program meet by one broadcast of rank 0, which says where it listens: so no filesystem has to be shared.
 * With that MPI is over; of a rank 0 that is lost later the launcher tells. The last resort, for ranks that wait for what will not come, is `MPI_Abort`.
 */
export class MpiRendezvous implements Rendezvous {
  /** There is one broadcast, and none that would replace it. */
  readonly replacementMs = 0
  readonly #run: RunContext
  readonly #options: MpiRendezvousOptions
  readonly #store: BroadcastStore
  /** In rank 0: settles when all have been told where it is. */
  #met: Promise<void> | undefined
  /** The others are being ended, so that none of them can come. */
  #aborted = false

  constructor(run: RunContext, options: MpiRendezvousOptions) {
    this.#run = run
    this.#options = options
    const { identity, logger } = run
    this.#store = new BroadcastStore({
      helper: options.helper,
      size: identity.size,
      timeout: run.options.rendezvousTimeout,
      logger,
      check: (world) => {
        checkWorld(identity, world)
      },
    })
  }

  async prepare(): Promise<void> {
    await this.#options.file?.prepare()
  }

  async announce(record: ClusterRecord): Promise<void> {
    await this.#options.file?.announce(record)
    this.#met = this.#store.announce(record, this.#run.signal)
    // Whoever waits for it is told.
    this.#met.catch(() => undefined)
  }

  async met(): Promise<void> {
    await this.#met
  }

  async findExisting(onFound: (file: SchedulerFile) => Promise<void>): Promise<SchedulerFile> {
    return await new FileRendezvous(this.#run, this.#options).findExisting(onFound)
  }

  async publish(file: PublishedFile): Promise<void> {
    await this.#options.file?.publish(file)
    await this.#keepOwnFile(file)
    await this.#met
  }

  async lookUp(dead: ReadonlySet<string>, signal: AbortSignal): Promise<Found> {
    if (dead.size > 0) return await untilAborted(new Promise<never>(() => undefined), signal)
    return await this.#store.lookUp(signal)
  }

  async hear(file: PublishedFile): Promise<void> {
    const { roles, identity } = this.#run
    if (roles[identity.rank]?.includes('client') === true) await this.#keepOwnFile(file)
  }

  async leaveEarlyExit(failure?: Failure): Promise<void> {
    if (!this.#store.isOver && failure !== undefined && !this.#isInterrupted) await this.#abort(failure.status)
  }

  async earlyExits(): Promise<readonly EarlyExit[]> {
    return await Promise.resolve(this.#aborted ? this.#run.roles.map((_, rank) => ({ rank })) : [])
  }

  async publishOutcome(outcome: OutcomeRecord): Promise<void> {
    await this.#options.file?.publishOutcome(outcome)
    if (this.#store.isOver) return
    // Whoever was told to end is not there to be told why.
    const told = !this.#isInterrupted && (await this.#store.publishOutcome(outcome))
    if (!told) await this.#abort(outcome.failure?.status ?? exitStatuses.ERR_COMPONENT_LOST)
  }

  async endAlone(outcome: OutcomeRecord): Promise<void> {
    await this.publishOutcome(outcome)
    await this.withdraw()
  }

  async withdraw(): Promise<void> {
    // Nobody who meets by a broadcast looks for word of the end.
    await this.#options.file?.withdraw()
  }

  async withdrawUnpublished(): Promise<void> {
    await this.#options.file?.withdrawUnpublished()
  }

  get cleanupList(): CleanupList {
    return this.#options.file?.cleanupList ?? { files: [], directories: [] }
  }

  get #isInterrupted(): boolean {
    return this.#run.signal.reason instanceof InterruptedError
  }

  /** If no scheduler file is shared, this process has one of its own, for its programs. */
  async #keepOwnFile(file: PublishedFile): Promise<void> {
    if (!this.#options.ownFile) return
    const { schedulerFile, logger } = this.#run
    try {
      await makeOwnDirectory(dirname(schedulerFile), this.#options.reaper)
      await replaceFile(schedulerFile, formatSchedulerFile(file))
    } catch (error) {
      logger.warn(
        `Cannot write the scheduler file of this process: ${messageOf(error)}; set TMPDIR to another directory`,
      )
    }
  }

  /** The last resort, for processes that wait for what will not come. */
  async #abort(status: number): Promise<void> {
    const { helper } = this.#options
    this.#aborted = true
    if (helper.hasWorld) {
      this.#run.logger.warn(`the other processes cannot be told, and are ended by MPI_Abort`)
      await sleep(readingMs)
      helper.abort(status)
      await settledWithin(helper.exited, abortTimeoutMs)
    }
    helper.kill()
  }
}
