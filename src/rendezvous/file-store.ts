import { join } from 'node:path'
import { defaults } from '../defaults.ts'
import { errnoOf } from '../errors.ts'
import { PrivateDirectory } from '../filesystem/private-directory.ts'
import { refuseOtherFiles, removeKnownFiles } from '../filesystem/known-files.ts'
import { UntrustedError } from '../filesystem/untrusted.ts'
import type { Logger } from '../logger.ts'
import type { WatchMode } from '../options.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import type { Found } from './found.ts'
import type { Failure, OutcomeRecord } from '../record/outcome-record.ts'
import type { Owner } from '../record/owner.ts'
import { formatSchedulerFile } from '../record/parse.ts'
import type { PublishedFile } from '../record/scheduler-file.ts'
import type { OwnDirectory } from '../util/own-directory.ts'
import { cannotPublish, refusal } from './cannot-publish.ts'
import { PathInUseError, takeClaim } from './claim.ts'
import { freshenClaim, holdsClaim } from './claim-file.ts'
import { whoseTarget } from './in-the-way.ts'
import type { AskOwner, AskScheduler, Judgement } from './judgement.ts'
import { type Departure, leaveDeparture, readDepartures } from './departures.ts'
import { HostRelay, type HostRelayOptions } from './host-relay.ts'
import { clearLeftovers } from './leftovers.ts'
import { isLocalFilesystem } from './local-filesystem.ts'
import type { LockOptions } from './lock.ts'
import { lookUp } from './look-up.ts'
import { departureName, gathererName, outcomeName, recordName, type RendezvousPaths, rendezvousPaths } from './names.ts'
import { publishOutcome, publishOutcomeAtOnce } from './outcome.ts'
import { leavePresence, lonelyError, type Present, presenceName, readPresences } from './presence.ts'
import { publishFile } from './publish.ts'
import { makeRunDirectory, noteName, ownerOfDirectory, runFiles } from './run-directory.ts'
import { defaultPollInterval } from './watch.ts'
import { withdrawAll } from './withdraw.ts'

/** Where and how the processes of one run meet. */
export interface FileStoreOptions extends Pick<LockOptions, 'onLock'> {
  /** Absolute path of the public scheduler file, its placeholders filled in. */
  readonly schedulerFile: string
  /** The run key as one word: see `formatRunKey`. */
  readonly runKey: string
  /** Number of processes of the run. */
  readonly size: number
  /** Number of nodes that they are on. */
  readonly nodes: number
  /** This process. */
  readonly me: Present
  readonly watch: WatchMode
  /** Milliseconds between two listings. Undefined: chosen so that all processes together keep to the budget. */
  readonly pollInterval: number | undefined
  /** How this process meets the others of its host, where it knows its rank among them. @default each process looks by itself */
  readonly relay?: HostRelayOptions | 'alone on its host' | undefined
  /** Operations a second that all processes together may ask of the filesystem while they wait. */
  readonly metadataBudget: number
  readonly logger: Logger
  /** Milliseconds that the filesystem may take for one look. @default 25 s */
  readonly filesystemTimeout?: number
  /** Asks the control port of another run whether it lives. */
  readonly ask: AskOwner
  /** Tries the address in a scheduler file that nobody claims. */
  readonly askScheduler: AskScheduler
  /** Whether the run of that key is over for certain, as an earlier start of a restarted job is. @default never */
  readonly isOver?: (runKey: string) => boolean
}

/**
 * The rendezvous of a run on a shared filesystem. Every process calls `join` and may then `lookUp`;
 * process 0 calls `claim`, `publish` or `publishOutcome`, and at the end `withdraw`.
 */
export class FileStore {
  readonly paths: RendezvousPaths
  readonly #options: FileStoreOptions
  readonly #judgement: Judgement
  readonly #directory: PrivateDirectory
  #relay: HostRelay | undefined
  #nonce: string | undefined
  #freshener: NodeJS.Timeout | undefined
  /** The directory is another's: of a living run with the same key, or of no run. It is left as it is. */
  #contested = false

  constructor(options: FileStoreOptions) {
    this.#options = options
    this.paths = rendezvousPaths(options.schedulerFile, options.runKey)
    this.#directory = new PrivateDirectory(this.paths.runDirectory)
    this.#judgement = { ...options, paths: this.paths, isOver: options.isOver ?? (() => false) }
  }

  /**
   * Makes the run's directory. Every process calls this before anything else, once.
   *
   * @returns which directory it is.
   * @throws RunnerError ERR_CANNOT_PUBLISH at once where the directory cannot be made.
   */
  async join(): Promise<OwnDirectory> {
    const { me } = this.#options
    await makeRunDirectory(this.#directory)
    if (me.rank === 0) await this.#refuseOtherFiles()
    await leavePresence(this.#directory, me)
    this.#relay = await this.#openRelay()
    try {
      return await this.#directory.identify()
    } catch (error) {
      // Another may have been put in its place meanwhile.
      throw cannotPublish(this.#directory.path, error)
    }
  }

  /**
   * Makes the scheduler file's path this run's, and clears what earlier runs left.
   *
   * @throws PathInUseError where another run holds the path, RunnerError ERR_CANNOT_PUBLISH where
   * something else stands in the way, or the signal's reason.
   */
  async claim(owner: Owner, options: Pick<LockOptions, 'signal' | 'patience'> = {}): Promise<void> {
    this.#nonce = owner.nonce
    try {
      await takeClaim(owner, this.#judgement, options)
    } catch (error) {
      if (error instanceof PathInUseError && error.alive) this.#contested = error.owner.run_key === this.#options.runKey
      throw error
    }
    clearInterval(this.#freshener)
    this.#freshener = setInterval(() => {
      freshenClaim(this.paths, owner.nonce).catch(() => undefined)
    }, defaults.staleClaim / 4).unref()
    await this.#clearOwnDirectory()
    await clearLeftovers(this.#judgement)
  }

  /**
   * Tells the run's processes where process 0 is. Where this run claims nothing, its directory is
   * cleared of what an earlier run of its key has left.
   *
   * @throws RunnerError ERR_CANNOT_PUBLISH
   */
  async publishGatherer(record: ClusterRecord, { claimed }: { readonly claimed: boolean }): Promise<void> {
    this.#nonce = record.nonce
    if (!claimed) await this.#clearOwnDirectory()
    await this.#put(gathererName, JSON.stringify(record))
    this.#say({ kind: 'gatherer', record })
  }

  /**
   * Publishes the cluster: first at the public path, then in the run's directory, where the run's
   * processes wait for it.
   *
   * @throws RunnerError ERR_CANNOT_PUBLISH, also where the path is not this run's any more.
   */
  async publish(file: PublishedFile, { publicToo = true }: { readonly publicToo?: boolean } = {}): Promise<void> {
    const { nonce } = file.dask_hpc_runner
    this.#nonce = nonce
    const text = formatSchedulerFile(file)
    if (publicToo) {
      const { schedulerFile } = this.paths
      if (!(await holdsClaim(this.paths, nonce)))
        throw refusal(schedulerFile, 'another run has taken it over; name another scheduler file')
      if ((await whoseTarget(this.paths, nonce)) === 'other')
        throw refusal(schedulerFile, 'another program has put a file there meanwhile; name another scheduler file')
      await publishFile(schedulerFile, text)
    }
    await this.#put(recordName, text)
    this.#say({ kind: 'cluster', file })
  }

  /** Leaves word that the run failed or is over, for the processes that wait. Never throws. */
  async publishOutcome(outcome: OutcomeRecord): Promise<void> {
    if (this.#contested) return
    await publishOutcome(this.#directory, outcome)
    this.#say({ kind: 'outcome', outcome })
  }

  /** {@link publishOutcome} for a process that is exiting. Never throws. */
  publishOutcomeAtOnce(outcome: OutcomeRecord): void {
    if (!this.#contested) publishOutcomeAtOnce(this.#directory, outcome)
  }

  /**
   * Waits for what process 0 publishes. That the directory has gone means that the run is over.
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
    const node = nodes > 1 ? me.node : undefined
    return await lookUp(this.#directory, {
      ...options,
      ...{ runKey, filesystemTimeout, node, logger, relay: this.#relay },
      interval: pollInterval ?? defaultPollInterval(lookers, metadataBudget),
      intervalAlone: pollInterval ?? defaultPollInterval(size, metadataBudget),
      mode: watch,
    })
  }

  /** Why processes of other nodes cannot come, as far as this directory shows it. */
  async lonelyError(): Promise<Error | undefined> {
    if (this.#options.nodes === 1) return undefined
    return await lonelyError(this.#directory, this.#options.me.node)
  }

  /** Leaves word that process `rank` will not come, and why. Never throws. */
  async depart(rank: number, failure?: Failure): Promise<void> {
    await leaveDeparture(this.#directory, rank, failure)
  }

  /**
   * The ranks that have left word that they will not come. Process 0 asks again and again while some
   * have not come.
   */
  async departed(): Promise<readonly Departure[]> {
    const names = await this.#directory.list().catch((): string[] => [])
    return await readDepartures(this.#directory, names)
  }

  /** The ranks that have left word that they have come here. Never throws. */
  async begun(): Promise<readonly number[]> {
    return await readPresences(this.#directory)
  }

  /** Whether process 0 has left word of where it is, or of the end. Rejects where that cannot be read. */
  async isPublished(): Promise<boolean> {
    return await this.#hasLeft([gathererName, recordName, outcomeName])
  }

  /** Whether process 0 has left word of the end. Rejects where that cannot be read. */
  async isOver(): Promise<boolean> {
    return await this.#hasLeft([outcomeName])
  }

  /** Whether one of the words of process 0 stands, or the run's directory is gone. */
  async #hasLeft(words: readonly string[]): Promise<boolean> {
    try {
      const names = await this.#directory.list()
      return names.some((name) => words.includes(name) || noteName.test(name))
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return true
      throw error
    }
  }

  /**
   * Removes all that is still this run's: the public file, the record, the run's directory, the
   * claim. May be called again. What cannot be removed is told to the logger.
   */
  async withdraw({ tombstone }: { readonly tombstone?: OutcomeRecord | undefined } = {}): Promise<void> {
    clearInterval(this.#freshener)
    this.#relay?.[Symbol.dispose]()
    // The tombstone first, so that at no moment there is neither record nor outcome.
    if (tombstone !== undefined) await this.publishOutcome(tombstone)
    await withdrawAll(this.paths, {
      runDirectory: this.#directory,
      nonce: this.#nonce,
      keepOutcome: tombstone !== undefined,
      keepDirectory: this.#contested,
      logger: this.#options.logger,
      onLock: this.#options.onLock,
    })
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

  async #put(name: string, text: string): Promise<void> {
    try {
      await this.#directory.put(name, text)
    } catch (error) {
      throw cannotPublish(join(this.#directory.path, name), error)
    }
  }

  async #clearOwnDirectory(): Promise<void> {
    const ours = this.#nonce !== undefined && (await ownerOfDirectory(this.#directory))?.nonce === this.#nonce
    const stays = (name: string): boolean =>
      departureName.test(name) || presenceName.test(name) || (ours && (name === recordName || name === gathererName))
    await removeKnownFiles(this.#directory, runFiles, (name) => !stays(name))
  }
}
