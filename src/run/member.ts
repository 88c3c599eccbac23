import { randomUUID } from 'node:crypto'
import { type HeartbeatChannel, HeartbeatMonitor, withHeartbeat } from '../control/heartbeat.ts'
import type { JoinOptions } from '../control/join.ts'
import type { ClusterAddress, FromCoordinator, RunResult, ToCoordinator } from '../control/messages.ts'
import type { RunContext } from '../identity/run-context.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import type { PublishedFile } from '../record/scheduler-file.ts'
import { deferred } from '../util/deferred.ts'
import type { EndingSignal } from '../util/early-signals.ts'
import { showProgress } from '../util/progress.ts'
import type { TlsMaterial } from '../util/tls-files.ts'
import { untilAborted } from '../util/wait.ts'
import { formatSilence, lossOf, RunIsOver } from './failure.ts'
import type { Rank0Channel, RunSeams } from './seams.ts'

/** Who is rank 0, once it is joined. */
interface Joined {
  readonly channel: Rank0Channel
  readonly host: string
  /** Where it listens, unless that is this process. */
  readonly record?: ClusterRecord
  /** Finds out whether rank 0 is silent, unless that is this process. */
  readonly monitor?: HeartbeatMonitor
}

/**
 * This process as a member of its run: its channel to rank 0, what rank 0 has told over it, and
 * how each of the two notices that the other is lost. Rank 0 is a member of its own run.
 */
export class Member implements Disposable {
  readonly #run: RunContext
  readonly #seams: Pick<RunSeams, 'join' | 'openHeartbeatChannel'>
  readonly #result = deferred<RunResult>()
  readonly #address = deferred<ClusterAddress>()
  readonly #cluster = deferred<PublishedFile>()
  readonly #certificates = deferred<TlsMaterial>()
  readonly #workersCame = deferred<undefined>()
  readonly #terminated = deferred<EndingSignal>()
  readonly #forced = deferred<undefined>()
  /** What rank 0 has told so far, beside what is waited for. */
  readonly #told: { file?: PublishedFile; endTime?: number; deputy?: number; isOver: boolean; allCame: boolean } = {
    isOver: false,
    allCame: false,
  }
  #workersNow = { running: 0, wanted: Infinity }
  /** Tells this process from another one that claims its rank. */
  readonly #instance = randomUUID()
  #joined: Joined | undefined
  #loss: 'none' | 'closed' | 'silent' = 'none'

  constructor(run: RunContext, seams: Pick<RunSeams, 'join' | 'openHeartbeatChannel'>) {
    this.#run = run
    this.#seams = seams
  }

  /** How the run ends, as rank 0 tells it or as its loss does. */
  get result(): Promise<RunResult> {
    return this.#result.promise
  }

  /** Resolves when rank 0 wants done what a signal to this process would do. */
  get terminated(): Promise<EndingSignal> {
    return this.#terminated.promise
  }

  /** Resolves when the run ends, and nothing has a grace any more. */
  get forced(): Promise<unknown> {
    return this.#forced.promise
  }

  /** The cluster, if rank 0 has told of it. */
  get file(): PublishedFile | undefined {
    return this.#told.file
  }

  /** Where the scheduler listens or will, once rank 0 has told of it. */
  get address(): Promise<ClusterAddress> {
    return this.#address.promise
  }

  /** The cluster, once rank 0 has told of it. */
  get published(): Promise<PublishedFile> {
    return this.#cluster.promise
  }

  /** When the job ends, in seconds since 1970, if rank 0 has told. */
  get endTime(): number | undefined {
    return this.#told.endTime
  }

  get isJoined(): boolean {
    return this.#joined !== undefined
  }

  /** Resolves when the channel to rank 0 is closed; never before this process has joined. */
  get closed(): Promise<unknown> {
    return this.#joined?.channel.closed ?? new Promise(() => undefined)
  }

  /** Whether rank 0 has told how the run ends. */
  get isTold(): boolean {
    return this.#told.isOver
  }

  /** Which rank tells the cause if rank 0 is lost, as rank 0 has told. */
  get deputy(): number | undefined {
    return this.#told.deputy
  }

  /** How rank 0 was lost, if it was. */
  get loss(): 'none' | 'closed' | 'silent' {
    return this.#loss
  }

  /** Where rank 0 listens, once this process has joined it. */
  get rank0(): ClusterRecord | undefined {
    return this.#joined?.record
  }

  /** Whether every process of the run has come, so that nobody comes late. */
  get allCame(): boolean {
    return this.#told.allCame
  }

  /** Milliseconds between two heartbeats; 0 in rank 0. */
  get heartbeatInterval(): number {
    return this.#joined?.monitor?.interval ?? 0
  }

  /** Tells rank 0 something. Does nothing before this process has joined. */
  send(message: ToCoordinator): void {
    this.#joined?.channel.send(message)
  }

  /** Leaves the run, after what was sent. */
  leave(): void {
    this.#joined?.channel.end()
  }

  /** Does not keep this process alive. */
  unref(): void {
    this.#joined?.channel.unref()
  }

  /**
   * Joins the run of the rank 0 that `record` describes.
   *
   * @throws what {@link joinControl} throws.
   */
  async join(record: ClusterRecord, { patience, signal }: Pick<JoinOptions, 'patience' | 'signal'>): Promise<void> {
    const { identity, options } = this.#run
    const { rank, host } = identity
    const opened = await this.#seams.join(record, { rank, host, instance: this.#instance, patience, signal })
    const monitor = new HeartbeatMonitor(options)
    const channel = withHeartbeat(opened, monitor)
    this.attach(channel, record.host, { record, monitor })
    void this.#hearThread(record, channel, monitor)
  }

  /** If the loop of rank 0 runs the user's code, a thread sends its heartbeats, over another channel. */
  async #hearThread(
    record: ClusterRecord,
    channel: HeartbeatChannel<FromCoordinator, ToCoordinator>,
    monitor: HeartbeatMonitor,
  ): Promise<void> {
    const { heartbeat_port: port } = record.control
    if (port === undefined) return
    const ofThread = { ...record, control: { ...record.control, port } }
    const over = new AbortController()
    void channel.closed.then(() => {
      over.abort()
    })
    const opening = this.#seams.openHeartbeatChannel(ofThread, this.#run.identity.rank, over.signal)
    const opened = await opening.catch(() => undefined)
    if (opened === undefined || opened === 'refused') return
    const second = withHeartbeat(opened, monitor, () => {
      channel.heard()
    })
    second.onMessage(() => undefined)
    second.unref()
    void channel.closed.then(() => {
      second.destroy()
    })
  }

  /** Listens to rank 0, which is on `host`. */
  attach(channel: Rank0Channel, host: string, other: Pick<Joined, 'record' | 'monitor'> = {}): void {
    this.#joined = { channel, host, ...other }
    channel.onMessage((message) => {
      this.#hear(message)
    })
    void channel.closed.then((how) => {
      this.#lose(how, host)
    })
  }

  /**
   * Where the scheduler will listen, as rank 0 tells it. Rank 0 sees to it that this wait ends.
   *
   * @throws RunIsOver, or the reason of the run's signal.
   */
  async awaitAddress(): Promise<ClusterAddress> {
    using _progress = this.#showWait()
    return await untilAborted(this.unlessOver(this.#address.promise), this.#run.signal)
  }

  /**
   * The cluster, as rank 0 tells of it once its scheduler runs. Rank 0 sees to it that this wait ends.
   *
   * @throws RunIsOver
   */
  async awaitCluster(): Promise<PublishedFile> {
    using _progress = this.#showWait()
    return await this.unlessOver(this.#cluster.promise)
  }

  #showWait(): Disposable {
    const { options, schedulerFile } = this.#run
    const what = options.scheduler ? 'start the scheduler' : `find the cluster of ${schedulerFile}`
    return showProgress(this.#run, () => `waiting for rank 0 to ${what}`)
  }

  /**
   * The certificates of the run, which rank 0 has made.
   *
   * @throws RunIsOver, or the reason of the run's signal.
   */
  async certificates(): Promise<TlsMaterial> {
    return await untilAborted(this.unlessOver(this.#certificates.promise), this.#run.signal)
  }

  /**
   * Until `count` workers run or `givenUp` settles.
   *
   * @throws RunIsOver
   */
  async awaitWorkers(count: number | 'all', givenUp: Promise<unknown>): Promise<void> {
    using _progress = showProgress(
      this.#run,
      () => {
        const { running, wanted } = this.#workersNow
        return Number.isFinite(wanted) ? `waiting for workers: ${running} of ${wanted} run` : 'waiting for workers'
      },
      () => this.#workersNow.running / this.#workersNow.wanted,
    )
    this.send({ type: 'await-workers', count: count === 'all' ? null : count })
    await this.unlessOver(Promise.race([this.#workersCame.promise, givenUp]))
  }

  /**
   * What `work` gives.
   *
   * @throws RunIsOver if the run ends before it does, or what `work` rejects with.
   */
  async unlessOver<T>(work: Promise<T>): Promise<T> {
    const over = this.#result.promise.then((result): never => {
      throw new RunIsOver(result)
    })
    return await Promise.race([work, over])
  }

  [Symbol.dispose](): void {
    this.#joined?.monitor?.[Symbol.dispose]()
  }

  #hear(message: FromCoordinator): void {
    switch (message.type) {
      case 'address':
        this.#address.resolve(message)
        break
      case 'end-time':
        this.#told.endTime = message.end_time
        break
      case 'cluster':
        this.#told.file = message.file
        this.#cluster.resolve(message.file)
        break
      case 'workers':
        this.#workersNow = message
        if (message.running >= message.wanted) this.#workersCame.resolve(undefined)
        break
      case 'certificates':
        this.#certificates.resolve(message)
        break
      case 'all-came':
        this.#told.allCame = true
        break
      case 'deputy':
        this.#told.deputy = message.rank
        break
      case 'terminate':
        this.#terminated.resolve(message.signal)
        break
      case 'end':
        this.#told.isOver = true
        this.#result.resolve(message)
        if (message.forced) this.#forced.resolve(undefined)
        break
      default:
        break
    }
  }

  #lose(how: 'closed' | 'silent', host: string): void {
    // That it fell silent after it had told of the end matters still: it may hold the step.
    if (how === 'silent' || !this.#told.isOver) this.#loss = how
    if (this.#told.isOver) return
    const { roles, options } = this.#run
    const why = how === 'closed' ? 'its connection closed before the end of the run' : formatSilence(options.lostAfter)
    const failure = lossOf({ rank: 0, roles: roles[0], host }, why)
    this.#result.resolve({ status: failure.status, failure, forced: false })
  }
}
