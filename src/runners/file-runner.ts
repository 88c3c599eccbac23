import { askOwner } from '../control/ask.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { Share } from '../identity/share.ts'
import { messageOf } from '../errors.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import type { Failure, OutcomeRecord } from '../record/outcome-record.ts'
import type { PublishedFile, SchedulerFile } from '../record/scheduler-file.ts'
import type { EarlyExit } from '../rendezvous/early-exits.ts'
import { FileStore, type FileStoreOptions } from '../rendezvous/file-store.ts'
import { findExistingCluster } from '../rendezvous/existing.ts'
import { killedName } from '../rendezvous/names.ts'
import type { Found } from '../rendezvous/found.ts'
import { lockPatience } from '../rendezvous/lock.ts'
import { IoTimeoutError } from '../rendezvous/cannot-publish.ts'
import { secretsDirectory } from '../security/private-files.ts'
import type { OwnDirectory } from '../util/own-directory.ts'
import { monotonic } from '../util/monotonic.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { sleep } from '../util/wait.ts'
import { BaseRunner } from '../run/base-runner.ts'
import { askScheduler } from '../dask/verify-scheduler.ts'
import type { RunContext } from '../identity/run-context.ts'
import type { Leavings } from '../run/hooks.ts'
import { showProgress } from '../util/run-progress.ts'
import { tlsOf } from '../security/run-tls.ts'
import { lookIntervalMs } from '../run/absentees.ts'

/** A runner whose processes find each other through the scheduler file on a filesystem they share. */
export abstract class FileRunner extends BaseRunner {
  #store: FileStore | undefined
  #runDirectory: OwnDirectory | undefined
  /**
   * Whether the filesystem of the scheduler file answers in its time. Where it has not, as where it is only one
   * file that nobody serves, the last words are still tried; where it has not again, it is left alone.
   */
  #filesystem: 'answers' | 'doubtful' | 'hangs' = 'answers'

  protected override async prepare(run: RunContext): Promise<void> {
    const { options, identity, schedulerFile, logger } = run
    const { runKey, size, nodes, rank, host, share } = identity
    this.#store = new FileStore({
      schedulerFile,
      runKey: formatRunKey(runKey),
      size,
      nodes,
      me: { rank, node: host },
      isFar: nodes > 1 && this.areHostsReal(run) && this.isFarFromRank0(run),
      watch: options.watch,
      pollInterval: options.pollInterval,
      relay: await this.#relayOf(share),
      metadataBudget: options.metadataBudget,
      filesystemTimeout: options.filesystemTimeout,
      logger,
      ask: askOwner,
      // The certificates of a secure run are of no use with another, and not there yet.
      askScheduler: async (file) => await askScheduler(file, { tls: options.secure ? undefined : tlsOf(options) }),
      isOver: (key) => earlierStarts(run).has(key),
      onLock: (directory) => {
        this.reaper.setLock(directory)
      },
    })
    this.#runDirectory = await this.#answered('make a directory of the run', run, this.#store.prepare())
  }

  /** How the processes of this host spare the filesystem, where each knows which of them it is. */
  async #relayOf({ localRank, processes, processesOnNode = processes }: Share): Promise<FileStoreOptions['relay']> {
    if (localRank === undefined) return undefined
    if (processesOnNode === 1) return 'alone on its host'
    const onDirectory = (directory: OwnDirectory): void => {
      this.reaper.addDirectory(directory)
    }
    return { parent: await secretsDirectory(), isRelay: localRank === 0, onDirectory }
  }

  /** Whether this process is known to be on another host than rank 0. */
  protected isFarFromRank0({ identity: { rank, share } }: RunContext): boolean {
    // The first process of a host, where rank 0 is not that one.
    return rank !== 0 && share.localRank === 0
  }

  /** Whether host names tell which processes share a host's own filesystem. */
  protected areHostsReal(_run: RunContext): boolean {
    return true
  }

  /** Which directory is the run's. */
  protected get runDirectory(): OwnDirectory {
    if (this.#runDirectory === undefined) throw new TypeError('Cannot use the directory of the run: it was not made')
    return this.#runDirectory
  }

  protected override async findExisting(run: RunContext): Promise<SchedulerFile> {
    const { options, schedulerFile, signal } = run
    let missing = 'for the file'
    using _progress = showProgress(
      run,
      () => `waiting for the cluster of ${schedulerFile} (--no-scheduler): ${missing}`,
    )
    return await this.#noticing(
      findExistingCluster(schedulerFile, {
        onMissing: (what) => {
          missing = what
        },
        askScheduler: async (file) => {
          await this.takeCertificatesOf(file)
          return await askScheduler(file, { tls: tlsOf(options), signal })
        },
        timeout: options.rendezvousTimeout,
        filesystemTimeout: options.filesystemTimeout,
        signal,
      }),
    )
  }

  protected override async announce(record: ClusterRecord, run: RunContext): Promise<void> {
    const { scheduler: publishes } = run.options
    await this.#answered('publish', run, this.#files.announce(record, { publishes, ...this.#locking(run) }))
  }

  protected override async publish(file: PublishedFile, run: RunContext): Promise<void> {
    // Where the cluster is another's, so is its file.
    if (!run.options.scheduler) return
    await this.#answered('publish', run, this.#files.publish(file, this.#locking(run)))
  }

  #locking({ signal, options }: RunContext): { readonly signal: AbortSignal; readonly patience: number } {
    // That another holds the lock is told before it looks like a filesystem that hangs.
    return { signal, patience: Math.min(lockPatience, Math.max(1_000, options.filesystemTimeout - askingTime)) }
  }

  protected override async publishOutcome(outcome: OutcomeRecord, run: RunContext): Promise<void> {
    await this.#tried('tell the others of the end', run, async (store) => {
      await store.publishOutcome(outcome)
    })
  }

  protected override publishOutcomeAtOnce(outcome: OutcomeRecord): void {
    if (this.#filesystem !== 'hangs') this.#store?.publishOutcomeAtOnce(outcome)
  }

  protected override async lookUp(run: RunContext, dead: ReadonlySet<string>): Promise<Found> {
    const { rendezvousTimeout } = run.options
    return await this.#noticing(this.#files.lookUp({ timeout: rendezvousTimeout, signal: run.signal, except: dead }))
  }

  protected override async withdraw(run: RunContext, tombstone: OutcomeRecord | undefined): Promise<void> {
    await this.#tried('remove the files of the run', run, async (store) => {
      await store.withdraw({ tombstone })
    })
  }

  protected override async whyNobodyComes(run: RunContext): Promise<Error | undefined> {
    if (run.identity.nodes === 1 || !this.areHostsReal(run)) return undefined
    return await this.#store?.notSharedError()
  }

  protected override async leaveEarlyExit(run: RunContext, failure?: Failure): Promise<void> {
    await this.#tried('say why this process ends', run, async (store) => {
      await store.leaveEarlyExit(failure)
    })
  }

  protected override async endAlone(outcome: OutcomeRecord, run: RunContext): Promise<void> {
    // Where another start of this run has published, the directory is that one's.
    const isOurs = this.#runDirectory !== undefined && !(await this.#files.isPublished().catch(() => true))
    if (!isOurs) {
      await this.leaveEarlyExit(run, outcome.failure)
      return
    }
    await this.publishOutcome(outcome, run)
    const haveHeard = await this.#othersDepart(run)
    await this.withdraw(run, haveHeard || this.isOnOneHost() ? undefined : outcome)
  }

  /** Whether all other processes have left word, within a time in which those do that come at all. */
  async #othersDepart(run: RunContext): Promise<boolean> {
    const [earliest, end] = [monotonic() + leastWord, monotonic() + lateArrival]
    for (;;) {
      const gone = await this.#answered('look for other processes', run, this.#files.earlyExits()).catch(() => [])
      if (gone.filter(({ rank }) => rank !== 0).length >= run.identity.size - 1 && monotonic() >= earliest) return true
      if (monotonic() >= end) return false
      await sleep(lookIntervalMs)
    }
  }

  protected override async earlyExits(run: RunContext, _missing: readonly number[]): Promise<readonly EarlyExit[]> {
    if (this.#store === undefined || this.#filesystem !== 'answers') return []
    return await this.#answered('look for other processes', run, this.#store.earlyExits())
  }

  protected override async removeUnlessPublished(run: RunContext): Promise<void> {
    await this.#tried('remove the files of the run', run, async (store) => {
      if (!(await store.isPublished())) await store.withdraw()
    })
  }

  protected override async isOver(run: RunContext): Promise<boolean> {
    if (this.#store === undefined || this.#filesystem !== 'answers') return false
    return await this.#answered('look for the end of the run', run, this.#store.isOver()).catch(() => false)
  }

  protected override leavings(run: RunContext): Leavings {
    const directory = this.#runDirectory
    return {
      files: run.options.scheduler ? [run.schedulerFile] : [],
      ...(directory === undefined
        ? { directories: [] }
        : { directories: [directory], note: { directory, name: killedName } }),
    }
  }

  /**
   * What the filesystem of the scheduler file answers.
   *
   * @throws RunnerError ERR_CANNOT_PUBLISH where it hangs, or what the operation rejects with.
   */
  async #answered<T>(what: string, { options, schedulerFile }: RunContext, operation: Promise<T>): Promise<T> {
    const isLast = this.#filesystem === 'doubtful'
    const timeout = isLast ? Math.min(lastWordTimeout, options.filesystemTimeout) : options.filesystemTimeout
    const late = (): Error => new IoTimeoutError(`Cannot ${what} beside "${schedulerFile}"`, timeout)
    return await this.#noticing(withIoTimeout(operation, timeout, late))
  }

  async #noticing<T>(operation: Promise<T>): Promise<T> {
    try {
      return await operation
    } catch (error) {
      if (error instanceof IoTimeoutError) this.#filesystem = this.#filesystem === 'answers' ? 'doubtful' : 'hangs'
      throw error
    }
  }

  /** {@link #answered} where it is too late to fail: a warning is all, and one is enough. */
  async #tried(what: string, run: RunContext, operation: (store: FileStore) => Promise<void>): Promise<void> {
    if (this.#store === undefined || this.#filesystem === 'hangs') return
    const isDoubtful = this.#filesystem === 'doubtful'
    try {
      await this.#answered(what, run, operation(this.#store))
    } catch (error) {
      if (!isDoubtful) run.logger.warn(messageOf(error))
    }
  }

  get #files(): FileStore {
    if (this.#store === undefined) throw new TypeError('Cannot use the scheduler file: the runner has not started')
    return this.#store
  }
}

/** How long a filesystem that has not answered may take for a last word. In milliseconds. */
const lastWordTimeout = 1_000

/** How long process 0 that ends alone waits for the others, to leave nothing. In milliseconds. */
const lateArrival = 5_000

/** For how long at least its word of the end stands, for a `wait` that looks four times a second. In milliseconds. */
const leastWord = 600

/** How long it may take to ask the run that held the path before, in milliseconds. */
const askingTime = 7_000

/** Run keys of the same step before the workload manager restarted the job: those runs are over. */
function earlierStarts({ identity }: RunContext): ReadonlySet<string> {
  const { runKey } = identity
  return new Set(Array.from({ length: runKey.restart }, (_, restart) => formatRunKey({ ...runKey, restart })))
}
