import { mkdir } from 'node:fs/promises'
import { errnoOf } from '../../errors.ts'
import { PrivateDirectory } from '../../filesystem/private-directory.ts'
import { refuseOtherFiles, removeFile, removeKnownFiles } from '../../filesystem/known-files.ts'
import { formatSystemError } from '../../filesystem/system-error.ts'
import { UntrustedError } from '../../filesystem/untrusted.ts'
import type { Logger } from '../../logger.ts'
import type { WatchMode } from '../../options.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import type { Failure, OutcomeRecord } from '../../record/outcome-record.ts'
import { formatSchedulerFile } from '../../record/parse.ts'
import type { PublishedFile } from '../../record/scheduler-file.ts'
import type { DirectoryKeeper, OwnDirectory } from '../../util/own-directory.ts'
import { cannotPublish } from './cannot-publish.ts'
import type { EarlyExit } from '../rendezvous.ts'
import { leaveEarlyExit, readEarlyExits } from './early-exits.ts'
import { coordinatorOf, type Found } from '../found.ts'
import { HostRelay, type HostRelayOptions } from './host-relay.ts'
import { isLocalFilesystem } from '../../filesystem/local-filesystem.ts'
import type { LockOptions } from './lock.ts'
import { lookUp } from './look-up.ts'
import {
  coordinatorName,
  exitedName,
  killedName,
  othersWait,
  outcomeName,
  toldName,
  type RendezvousPaths,
  rendezvousPaths,
} from './names.ts'
import { notSharedError } from './not-shared.ts'
import { publishOutcome, publishOutcomeAtOnce } from './outcome.ts'
import { PathInUseError, type PathQuestions, readTarget, whoseTarget } from './path-state.ts'
import { clearPlace, type PublishPlace, publicPlace, publishAt } from './publish.ts'
import { coordinatorIn, coordinatorPlace, makeRunDirectory, runFiles } from './run-directory.ts'
import { clearStaleFiles } from './stale-files.ts'
import { defaultPollInterval } from './watch.ts'

/** Where and how the processes of one run meet. */
export interface FileStoreOptions extends PathQuestions, Pick<LockOptions, 'onLock'> {
  /** Absolute path of the public scheduler file, its placeholders filled in. */
  readonly schedulerFile: string
  /** Number of processes of the run. */
  readonly size: number
  /** Number of nodes that they are on. */
  readonly nodes: number
  /** This process, and its node as the workload manager has it. */
  readonly me: { readonly rank: number; readonly node: string }
  /** Whether this process is known to be on another node than rank 0. */
  readonly isFar: boolean
  readonly watch: WatchMode
  /** Milliseconds between two listings. Undefined: chosen so that all processes together keep to the budget. */
  readonly pollInterval: number | undefined
  /** Removes the run's directory at the end of this process. Undefined: it stays for those who may come late. */
  readonly keeper: DirectoryKeeper | undefined
  /** How this process meets the others of its host, where it knows its rank among them. Undefined: each process looks by itself. */
  readonly relay: HostRelayOptions | 'alone on its host' | undefined
  /** Operations a second that all processes together may ask of the filesystem while they wait. */
  readonly metadataBudget: number
  readonly logger: Logger
  /** Milliseconds that the filesystem may take for one look. */
  readonly filesystemTimeout: number
}

/**
 * The rendezvous of a run on a shared filesystem. Every process calls `prepare` and may then `lookUp`;
 * rank 0 calls `announce`, `publish` or `publishOutcome`, and at the end `withdraw`.
 */
export class FileStore {
  readonly paths: RendezvousPaths
  readonly #options: FileStoreOptions
  readonly #directory: PrivateDirectory
  #relay: HostRelay | undefined
  #nonce: string | undefined
  /** The directory is another's: of a living run with the same key, or of no run. It is left as it is. */
  #contested = false

  constructor(options: FileStoreOptions) {
    this.#options = options
    this.paths = rendezvousPaths(options.schedulerFile, options.runKey)
    this.#directory = new PrivateDirectory(this.paths.runDirectory)
  }

  /**
   * Makes the run's directory. Every process calls this before anything else, once.
   *
   * @returns which directory it is.
   * @throws RunnerError ERR_CANNOT_PUBLISH at once where the directory cannot be made.
   */
  async prepare(): Promise<OwnDirectory> {
    await makeRunDirectory(this.#directory, this.#options.keeper)
    if (this.#options.me.rank === 0) await this.#refuseOtherFiles()
    this.#relay = await this.#openRelay()
    try {
      return await this.#directory.identify()
    } catch (error) {
      // Another may have been put in its place meanwhile.
      throw cannotPublish(this.#directory.path, error)
    }
  }

  /**
   * Tells the run's processes where rank 0 listens, and clears what earlier runs have left. A run that is to publish
   * is told here that the scheduler file's path is in use, before it starts a scheduler.
   *
   * @throws RunnerError ERR_CANNOT_PUBLISH where another run is at the path, or something else that is to be left
   * alone; or the signal's reason.
   */
  async announce(
    record: ClusterRecord,
    { publishes, ...options }: { readonly publishes: boolean } & Pick<LockOptions, 'signal' | 'patience'>,
  ): Promise<void> {
    this.#nonce = record.nonce
    const { paths } = this
    // First, so that nothing is removed where nothing can be written.
    const place = coordinatorPlace(this.#directory, paths.coordinator, this.#options)
    await this.#unlessContested(publishAt(place, JSON.stringify(record), this.#publishing(options)))
    this.#say({ kind: 'coordinator', record })
    if (publishes && (await this.#isTaken()))
      await this.#unlessContested(clearPlace(this.#publicPlace, this.#publishing(options)))
    // What other ranks have left may be of this start.
    await this.#unlessContested(
      removeKnownFiles(this.#directory, runFiles, (name) => name === outcomeName || name === killedName),
    )
    if (publishes) await clearStaleFiles({ paths, questions: this.#options, logger: this.#options.logger })
  }

  /**
   * Publishes the scheduler file.
   *
   * @throws RunnerError ERR_CANNOT_PUBLISH, also where another run has published there meanwhile.
   */
  async publish(file: PublishedFile, options: Pick<LockOptions, 'signal' | 'patience'> = {}): Promise<void> {
    this.#nonce = file.dask_hpc_runner.nonce
    await this.#unlessContested(publishAt(this.#publicPlace, formatSchedulerFile(file), this.#publishing(options)))
  }

  /** Leaves word that the run failed or is over, for the processes that wait. Never throws. */
  async publishOutcome(outcome: OutcomeRecord): Promise<void> {
    if (this.#contested) return
    // First those of this host, whom it reaches where the shared filesystem hangs.
    this.#say({ kind: 'outcome', outcome })
    await publishOutcome(this.#directory, outcome)
  }

  /** {@link publishOutcome} for a process that is exiting. Never throws. */
  publishOutcomeAtOnce(outcome: OutcomeRecord): void {
    if (!this.#contested) publishOutcomeAtOnce(this.#directory, outcome)
  }

  /**
   * Waits for what rank 0 publishes. That the directory has gone means that the run is over.
   *
   * @throws RunnerError ERR_TIMED_OUT after `timeout` milliseconds, ERR_UNAVAILABLE where what is
   * published cannot be used, or the signal's reason.
   */
  async lookUp(options: {
    readonly timeout: number
    readonly signal?: AbortSignal | undefined
    /** Nonces of records that did not stand the test, to be waited past. */
    readonly except?: ReadonlySet<string> | undefined
  }): Promise<Found> {
    const { runKey, watch, pollInterval, metadataBudget, filesystemTimeout, size, nodes, me, logger } = this.#options
    // As many look as there are hosts, if the others are like this one.
    const lookers = this.#relay === undefined && this.#options.relay !== 'alone on its host' ? size : nodes
    const found = await lookUp(this.#directory, {
      ...options,
      ...{ runKey, filesystemTimeout, logger, relay: this.#relay },
      farNode: this.#options.isFar ? me.node : undefined,
      interval: pollInterval ?? defaultPollInterval(lookers, metadataBudget),
      intervalAlone: pollInterval ?? defaultPollInterval(size, metadataBudget),
      mode: watch,
    })
    // Where rank 0 is lost, this process may have to remove what it has published.
    this.#nonce = coordinatorOf(found)?.nonce ?? this.#nonce
    return found
  }

  /** Why processes of other nodes cannot come, of whom none has, as far as this directory shows it. */
  async notSharedError(): Promise<Error | undefined> {
    const { node } = this.#options.me
    const names = await this.#directory.list().catch((): string[] => [])
    const exits = await readEarlyExits(this.#directory, names)
    // Some have been there, and have ended or cannot connect to this process.
    const isShared =
      othersWait(names, node) || exits.some(({ failure }) => failure !== undefined && failure.host !== node)
    return isShared ? undefined : await notSharedError(this.#directory.path, node)
  }

  /** Leaves word that this process will not come, and why. Never throws. */
  async leaveEarlyExit(failure?: Failure): Promise<void> {
    const { rank } = this.#options.me
    // Rank 0 leaves an outcome, or nothing where the directory is another's.
    if (rank === 0) return
    await leaveEarlyExit(this.#directory, { rank, failure })
    await this.#leaveNothing()
  }

  /** Whether this process is the first to say that rank 0 is not to be had. Rejects where that cannot be found out. */
  async claimCause(): Promise<boolean> {
    const text = JSON.stringify({ version: 1, rank: this.#options.me.rank })
    return (await this.#directory.create(toldName, text)) !== 'taken'
  }

  /**
   * Whether this process is the first to say that rank 0 has ended. Rank 0's reaper may have removed the run's directory: so the mark is a
   * directory of its own, which `keeper` removes at the end of this process, whoever has made it. Rejects where that cannot be found out.
   */
  async claimLoss(keeper: DirectoryKeeper): Promise<boolean> {
    keeper.expectDirectory(this.paths.lost)
    try {
      await mkdir(this.paths.lost, { mode: 0o700 })
      return true
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false
      throw error
    }
  }

  /** Where rank 0 was killed, the last of the others that leaves removes what is left. Never throws. */
  async #leaveNothing(): Promise<void> {
    const names = await this.#directory.list().catch((): string[] => [])
    const everybody = Array.from({ length: this.#options.size }, (_, rank) => exitedName(rank))
    if (everybody.every((name) => names.includes(name))) await this.withdraw()
  }

  /**
   * The ranks that have left word that they will not come. Rank 0 asks again and again while some
   * have not come.
   */
  async earlyExits(): Promise<readonly EarlyExit[]> {
    const names = await this.#directory.list().catch((): string[] => [])
    return await readEarlyExits(this.#directory, names)
  }

  /** Whether rank 0 has left word of where it listens, or of the end. Rejects where that cannot be read. */
  async isPublished(): Promise<boolean> {
    return await this.#hasLeft([coordinatorName, outcomeName, killedName])
  }

  /** Whether rank 0 has left word of the end. Rejects where that cannot be read. */
  async isOver(): Promise<boolean> {
    return await this.#hasLeft([outcomeName, killedName])
  }

  /** Whether one of the words of rank 0 stands, or the run's directory is gone. */
  async #hasLeft(words: readonly string[]): Promise<boolean> {
    try {
      const names = await this.#directory.list()
      return names.some((name) => words.includes(name))
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return true
      throw error
    }
  }

  /**
   * Removes all that is still this run's: the scheduler file, the run's directory. May be called again. What cannot be
   * removed is told to the logger.
   */
  async withdraw({ outcome }: { readonly outcome?: OutcomeRecord | undefined } = {}): Promise<void> {
    this.#relay?.[Symbol.dispose]()
    const coordinator = await coordinatorIn(this.#directory).catch(() => undefined)
    if (coordinator !== undefined && coordinator.nonce !== this.#nonce) this.#contested ||= this.#nonce !== undefined
    // The outcome first, so that at no moment there is neither record nor outcome.
    if (outcome !== undefined) await this.publishOutcome(outcome)
    await this.#attempt(this.paths.schedulerFile, async () => {
      // Something else in its place, or nothing that can be read, is not ours to remove.
      const whose = this.#nonce && (await whoseTarget(this.paths, this.#nonce).catch(() => 'other'))
      if (whose === 'ours') await removeFile(this.paths.schedulerFile)
    })
    if (this.#contested) return
    await this.#attempt(this.#directory.path, async () => {
      const stays = (name: string): boolean => outcome !== undefined && name === outcomeName
      await removeKnownFiles(this.#directory, runFiles, (name) => !stays(name))
      await this.#directory.removeIfEmpty()
    })
  }

  /** Whatever becomes of one part, the others are tried. */
  async #attempt(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#options.logger.warn(`Cannot remove "${path}": ${formatSystemError(error)}`)
    }
  }

  async #openRelay(): Promise<HostRelay | undefined> {
    const { relay, watch, me } = this.#options
    if (relay === undefined || relay === 'alone on its host') return undefined
    // Where events come, each process has them.
    if (watch !== 'poll' && (await isLocalFilesystem(this.paths.runDirectory))) return undefined
    return await HostRelay.open(this.paths.runDirectory, me.node, relay)
  }

  /** Tells the others of this host what has just been published. */
  #say(found: Found): void {
    if (this.#relay?.isRelay === true) void this.#relay.tell(JSON.stringify(found))
  }

  async #refuseOtherFiles(): Promise<void> {
    try {
      await refuseOtherFiles(this.#directory, runFiles)
    } catch (error) {
      // What merely cannot be looked at is ours all the same.
      this.#contested = error instanceof UntrustedError
      throw cannotPublish(this.#directory.path, error)
    }
  }

  get #publicPlace(): PublishPlace {
    return publicPlace(this.paths, this.#options)
  }

  #publishing(options: Pick<LockOptions, 'signal' | 'patience'>): Parameters<typeof publishAt>[2] {
    const { logger, onLock } = this.#options
    return { ...options, paths: this.paths, logger, onLock }
  }

  async #isTaken(): Promise<boolean> {
    try {
      return (await readTarget(this.paths)) !== undefined
    } catch (error) {
      if (error instanceof UntrustedError) return true
      throw cannotPublish(this.paths.schedulerFile, error)
    }
  }

  async #unlessContested(work: Promise<unknown>): Promise<void> {
    try {
      await work
    } catch (error) {
      if (error instanceof PathInUseError && error.isOurRun) this.#contested = true
      // What is of the filesystem is no defect of ours.
      const isOfFilesystem = error instanceof UntrustedError || /^E[A-Z0-9]+$/.test(errnoOf(error) ?? '')
      throw isOfFilesystem ? cannotPublish(this.#directory.path, error) : error
    }
  }
}
