import { askOwner } from '../../control/ask.ts'
import { verifyScheduler } from '../../dask/verify-scheduler.ts'
import { messageOf } from '../../errors.ts'
import type { RunContext } from '../../identity/run-context.ts'
import { formatRunKey, isEarlierStart } from '../../identity/run-key.ts'
import type { Share } from '../../identity/share.ts'
import type { Reaper } from '../../process/reaper.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import type { Failure, OutcomeRecord } from '../../record/outcome-record.ts'
import type { PublishedFile, SchedulerFile } from '../../record/scheduler-file.ts'
import { secretsDirectory } from '../../security/private-files.ts'
import { tlsOf } from '../../security/run-tls.ts'
import { withIoTimeout } from '../../util/io-timeout.ts'
import { monotonic } from '../../util/monotonic.ts'
import type { DirectoryKeeper, OwnDirectory } from '../../util/own-directory.ts'
import { showProgress } from '../../util/progress.ts'
import { sleep } from '../../util/wait.ts'
import { IoTimeoutError } from './cannot-publish.ts'
import type { EarlyExit, CleanupList, Rendezvous } from '../rendezvous.ts'
import { findExistingCluster } from './existing.ts'
import { FileStore, type FileStoreOptions } from './file-store.ts'
import type { Found } from '../found.ts'
import { lockPatience } from './lock.ts'
import { killedName } from './names.ts'

/** What the rendezvous at a file needs beside the run. */
export interface FileRendezvousOptions {
  /** Removes what this process leaves, if it is killed. */
  readonly reaper: DirectoryKeeper & Pick<Reaper, 'setLock'>
  /** What is known of who shares a host's own filesystem; `unknown`: nothing, as if host names are simulated. @default by the rank on the host */
  readonly isFarFromRank0?: boolean | 'unknown'
  /** All processes of the run are on this host, and end with it. @default false */
  readonly isOnOneHost?: boolean
  /** The run ends with this process, which makes its directory: nobody can come late. @default false */
  readonly isFirst?: boolean
  /** Called when the run's directory has been made, in every process. */
  readonly onDirectory?: () => void
}

/** The processes of a run meet at the scheduler file, on a filesystem that they share. */
export class FileRendezvous implements Rendezvous {
  readonly replacementMs = 15_000
  readonly #run: RunContext
  readonly #options: FileRendezvousOptions
  #store: FileStore | undefined
  #directory: OwnDirectory | undefined
  /**
   * Whether the filesystem of the scheduler file answers in its time. If it has not, as if it is only one
   * file that nobody serves, the end markers are still tried; if it has not again, it is left alone.
   */
  #filesystem: 'answers' | 'late' | 'hangs' = 'answers'
  /** How long this process has waited for it since it has the directory, looks for rank 0 left out. In milliseconds. */
  #waitedMs = 0

  constructor(run: RunContext, options: FileRendezvousOptions) {
    this.#run = run
    this.#options = options
  }

  async prepare(): Promise<void> {
    const { options, identity, schedulerFile, logger } = this.#run
    const { runKey, size, nodes, rank, host, share } = identity
    // The first process of a host, unless rank 0 is that one.
    const { reaper, isFarFromRank0 = rank !== 0 && share.localRank === 0, isFirst, onDirectory } = this.#options
    this.#store = new FileStore({
      schedulerFile,
      runKey: formatRunKey(runKey),
      size,
      nodes,
      me: { rank, node: host },
      isFar: nodes > 1 && isFarFromRank0 === true,
      watch: options.watch,
      pollInterval: options.pollInterval,
      keeper: isFirst === true ? reaper : undefined,
      relay: await this.#relayOf(share),
      metadataBudget: options.metadataBudget,
      filesystemTimeout: options.filesystemTimeout,
      logger,
      ask: askOwner,
      // The certificates of a secure run are of no use with another, and not there yet.
      verifyScheduler: async (file) =>
        await verifyScheduler(file, { tls: options.secure ? undefined : tlsOf(options) }),
      isOver: (key) => isEarlierStart(key, this.#run.identity.runKey),
      onLock: (directory) => {
        reaper.setLock(directory)
      },
    })
    this.#directory = await this.#answered('make a directory of the run', this.#store.prepare())
    this.#waitedMs = 0
    onDirectory?.()
  }

  /** How the processes of this host spare the filesystem, if each knows which of them it is. */
  async #relayOf({ localRank, processes, processesOnNode = processes }: Share): Promise<FileStoreOptions['relay']> {
    if (localRank === undefined) return undefined
    if (processesOnNode === 1) return 'alone on its host'
    return { parent: await secretsDirectory(), isRelay: localRank === 0, reaper: this.#options.reaper }
  }

  async findExisting(onFound: (file: SchedulerFile) => Promise<void>): Promise<SchedulerFile> {
    const { options, schedulerFile, signal } = this.#run
    let missing = 'for the file'
    using _progress = showProgress(
      this.#run,
      () => `waiting for the cluster of ${schedulerFile} (--no-scheduler): ${missing}`,
    )
    return await this.#noticing(
      findExistingCluster(schedulerFile, {
        onMissing: (what) => {
          missing = what
        },
        verifyScheduler: async (file) => {
          await onFound(file)
          return await verifyScheduler(file, { tls: tlsOf(options), signal })
        },
        timeout: options.rendezvousTimeout,
        filesystemTimeout: options.filesystemTimeout,
        signal,
      }),
    )
  }

  async announce(record: ClusterRecord): Promise<void> {
    const { scheduler: publishes } = this.#run.options
    await this.#answered('publish', this.#files.announce(record, { publishes, ...this.#locking }))
  }

  async publish(file: PublishedFile): Promise<void> {
    // If the cluster is another's, so is its file.
    if (!this.#run.options.scheduler) return
    await this.#answered('publish', this.#files.publish(file, this.#locking))
  }

  get #locking(): { readonly signal: AbortSignal; readonly patience: number } {
    const { signal, options } = this.#run
    // That another holds the lock is told before it looks like a filesystem that hangs.
    return { signal, patience: Math.min(lockPatience, Math.max(1_000, options.filesystemTimeout - askingTime)) }
  }

  async publishOutcome(outcome: OutcomeRecord): Promise<void> {
    await this.#tried('tell the others of the end', async (store) => {
      await store.publishOutcome(outcome)
    })
  }

  publishOutcomeAtOnce(outcome: OutcomeRecord): void {
    if (this.#filesystem !== 'hangs') this.#store?.publishOutcomeAtOnce(outcome)
  }

  async lookUp(dead: ReadonlySet<string>, signal: AbortSignal): Promise<Found> {
    const { rendezvousTimeout: timeout } = this.#run.options
    return await this.#noticing(this.#files.lookUp({ timeout, signal, except: dead }))
  }

  async withdraw(word?: OutcomeRecord): Promise<void> {
    await this.#tried('remove the files of the run', async (store) => {
      await store.withdraw({ outcome: word })
    })
  }

  async whyNobodyComes(): Promise<Error | undefined> {
    if (this.#run.identity.nodes === 1 || this.#options.isFarFromRank0 === 'unknown') return undefined
    return await this.#store?.notSharedError()
  }

  async claimCause(): Promise<boolean> {
    if (this.#store === undefined || this.#filesystem !== 'answers') return true
    return await this.#answered('look who tells the cause', this.#store.claimCause()).catch(() => true)
  }

  async claimLoss(): Promise<boolean> {
    if (this.#store === undefined || this.#filesystem !== 'answers') return false
    const claim = this.#store.claimLoss(this.#options.reaper)
    return await this.#answered('look who tells the cause', claim).catch(() => false)
  }

  async leaveEarlyExit(failure?: Failure): Promise<void> {
    // Without a failure the run has ended before, or ends by a signal: rank 0 does not wait longer.
    const most = failure === undefined ? lateArrival : undefined
    await this.#tried('say why this process ends', async (store) => store.leaveEarlyExit(failure), most)
  }

  async endAlone(outcome: OutcomeRecord): Promise<void> {
    // If another start of this run has published, the directory is that one's.
    const isOurs =
      this.#directory !== undefined &&
      !(await this.#answered('look for another start of this run', this.#files.isPublished()).catch(() => true))
    if (!isOurs) {
      await this.leaveEarlyExit(outcome.failure)
      return
    }
    await this.publishOutcome(outcome)
    const haveHeard = await this.#othersExit()
    await this.withdraw(haveHeard || this.#options.isOnOneHost === true ? undefined : outcome)
  }

  /** Whether all other processes have left word, within a time in which those do that come at all. */
  async #othersExit(): Promise<boolean> {
    const { size } = this.#run.identity
    const [earliest, end] = [monotonic() + leastWord, monotonic() + lateArrival]
    for (;;) {
      const gone = await this.#answered('look for other processes', this.#files.earlyExits()).catch(() => [])
      if (gone.filter(({ rank }) => rank !== 0).length >= size - 1 && monotonic() >= earliest) return true
      if (monotonic() >= end) return false
      await sleep(exitsIntervalMs)
    }
  }

  async earlyExits(): Promise<readonly EarlyExit[]> {
    if (this.#store === undefined || this.#filesystem !== 'answers') return []
    return await this.#answered('look for other processes', this.#store.earlyExits())
  }

  async withdrawUnpublished(): Promise<void> {
    await this.#tried('remove the files of the run', async (store) => {
      if (!(await store.isPublished())) await store.withdraw()
    })
  }

  async isOver(): Promise<boolean> {
    if (this.#store === undefined || this.#filesystem !== 'answers') return false
    return await this.#answered('look for the end of the run', this.#store.isOver()).catch(() => false)
  }

  get cleanupList(): CleanupList {
    const directory = this.#directory
    const { options, schedulerFile } = this.#run
    return {
      files: options.scheduler ? [schedulerFile] : [],
      ...(directory === undefined
        ? { directories: [] }
        : { directories: [directory], endMarker: { directory, name: killedName } }),
    }
  }

  /**
   * What the filesystem of the scheduler file answers.
   *
   * @throws RunnerError ERR_CANNOT_PUBLISH where it hangs, or what the operation rejects with.
   */
  async #answered<T>(what: string, operation: Promise<T>, most = Infinity): Promise<T> {
    const timeout = Math.min(most, this.#patienceMs)
    const late = (): Error => new IoTimeoutError(`Cannot ${what} beside "${this.#run.schedulerFile}"`, timeout)
    const began = monotonic()
    try {
      return await this.#noticing(withIoTimeout(operation, timeout, late))
    } finally {
      this.#waitedMs += monotonic() - began
    }
  }

  /** How long the filesystem may take for a step; outside of rank 0, which has files to remove, for all of them together. In milliseconds. */
  get #patienceMs(): number {
    const { options, identity } = this.#run
    const { filesystemTimeout: most } = options
    const left = identity.rank === 0 ? most : most - this.#waitedMs
    return this.#filesystem === 'answers' && left > endMarkerTimeoutMs ? left : Math.min(endMarkerTimeoutMs, most)
  }

  async #noticing<T>(operation: Promise<T>): Promise<T> {
    try {
      return await operation
    } catch (error) {
      if (error instanceof IoTimeoutError) this.#filesystem = this.#filesystem === 'answers' ? 'late' : 'hangs'
      throw error
    }
  }

  /** {@link #answered} if it is too late to fail: a warning is all, and one is enough. */
  async #tried(what: string, operation: (store: FileStore) => Promise<void>, most?: number): Promise<void> {
    if (this.#store === undefined || this.#filesystem === 'hangs') return
    const isLate = this.#filesystem === 'late'
    try {
      await this.#answered(what, operation(this.#store), most)
    } catch (error) {
      if (!isLate) this.#run.logger.warn(messageOf(error))
    }
  }

  get #files(): FileStore {
    if (this.#store === undefined) throw new TypeError('Cannot use the scheduler file: its directory was not made')
    return this.#store
  }
}

/** How long a filesystem that has not answered may take for an end marker. In milliseconds. */
const endMarkerTimeoutMs = 1_000

/** How long a rank 0 that ends alone waits for the others, to leave nothing, and how often it looks for them. In milliseconds. */
const [lateArrival, exitsIntervalMs] = [5_000, 250]

/** For how long at least its word of the end stands, for a `wait` that looks four times a second. In milliseconds. */
const leastWord = 600

/** How long it may take to ask the run that held the path before, in milliseconds. */
const askingTime = 7_000
