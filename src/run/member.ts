import { randomUUID } from 'node:crypto'
import { joinControl, type JoinOptions, openHeartbeatChannel } from '../control/join.ts'
import type { Channel } from '../control/channel.ts'
import type { FromCoordinator, ToCoordinator, RunResult } from '../control/messages.ts'
import { type HeartbeatChannel, HeartbeatMonitor, withHeartbeat } from '../control/heartbeat.ts'
import { RunnerError } from '../errors.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import type { PublishedFile } from '../record/scheduler-file.ts'
import { deferred } from '../util/deferred.ts'
import { formatDuration } from '../util/duration.ts'
import type { EndingSignal } from '../util/early-signals.ts'
import type { TlsMaterial } from '../util/tls-material.ts'
import { untilAborted } from '../util/wait.ts'
import type { RunContext } from '../identity/run-context.ts'
import { failureOf, RunIsOver } from './failure.ts'
import { showProgress } from '../util/run-progress.ts'

/** What process 0 may ask of a process at any time. */
export interface MembershipHandlers {
  /** Do what a signal to this process would do. */
  readonly onTerminate: (signal: EndingSignal) => void
  /** The run ends, and nothing has a grace any more. */
  readonly onForced: () => void
}

/**
 * This process as a member of its run: its line to process 0, what process 0 has told over it, and
 * how each of the two notices that the other is lost. Process 0 is a member of its own run.
 */
export class Membership implements Disposable {
  readonly #run: RunContext
  readonly #handlers: MembershipHandlers
  readonly #verdict = deferred<RunResult>()
  readonly #cluster = deferred<PublishedFile>()
  readonly #certificates = deferred<TlsMaterial>()
  readonly #workersCame = deferred<undefined>()
  #workersNow = ''
  /** Tells this process from another one that claims its rank. */
  #instance: string | undefined
  #line: Channel<FromCoordinator, ToCoordinator> | undefined
  /** Judges process 0, where this is another. */
  #pulse: HeartbeatMonitor | undefined
  #gathererHost: string | undefined
  /** Process 0 has told how the run ends. */
  #told = false
  #lost: 'closed' | 'silent' | undefined

  constructor(run: RunContext, handlers: MembershipHandlers) {
    this.#run = run
    this.#handlers = handlers
  }

  /** How the run ends, as process 0 tells it or as its loss does. */
  get verdict(): Promise<RunResult> {
    return this.#verdict.promise
  }

  /** The line to process 0; undefined before this process has joined. */
  get line(): Channel<FromCoordinator, ToCoordinator> | undefined {
    return this.#line
  }

  /** How process 0 was lost, where it was. */
  get lost(): 'closed' | 'silent' | undefined {
    return this.#lost
  }

  /** Milliseconds between two heartbeats; 0 in process 0. */
  get heartbeatInterval(): number {
    return this.#pulse?.interval ?? 0
  }

  /** Tells process 0 something. Does nothing before this process has joined. */
  send(message: ToCoordinator): void {
    this.#line?.send(message)
  }

  /**
   * Joins the run of the process 0 that `gatherer` describes.
   *
   * @throws what {@link joinControl} throws.
   */
  async join(gatherer: ClusterRecord, { patience, signal }: Pick<JoinOptions, 'patience' | 'signal'>): Promise<void> {
    const { identity, options } = this.#run
    this.#instance ??= randomUUID()
    const { rank, host } = identity
    const link = await joinControl(gatherer, { rank, host, instance: this.#instance, patience, signal })
    this.#pulse = new HeartbeatMonitor(options)
    this.#gathererHost = gatherer.host
    const line = withHeartbeat(link, this.#pulse)
    this.attach(line)
    void this.#listenToPulse(gatherer, line, this.#pulse)
  }

  /** Where the loop of process 0 runs the user's code, a thread of it beats. */
  async #listenToPulse(
    gatherer: ClusterRecord,
    line: HeartbeatChannel<FromCoordinator, ToCoordinator>,
    pulse: HeartbeatMonitor,
  ): Promise<void> {
    const { heartbeat_port: port } = gatherer.control
    if (port === undefined) return
    const record = { ...gatherer, control: { ...gatherer.control, port } }
    const opened = await openHeartbeatChannel(record, this.#run.identity.rank)
    if (opened === undefined) return
    const second = withHeartbeat(opened, pulse, () => {
      line.heard()
    })
    second.onMessage(() => undefined)
    second.unref()
    void line.closed.then(() => {
      second.destroy()
    })
  }

  /** Listens to process 0 on `line`. */
  attach(line: Channel<FromCoordinator, ToCoordinator>): void {
    this.#line = line
    line.onMessage((message) => {
      this.#hear(message)
    })
    void line.closed.then((how) => {
      this.#lose(how)
    })
  }

  /**
   * The cluster, as process 0 tells of it once its scheduler runs. Process 0 sees to it that this wait ends.
   *
   * @throws RunIsOver, or the reason of the run's signal.
   */
  async cluster(): Promise<PublishedFile> {
    const { options, schedulerFile } = this.#run
    const what = options.scheduler ? 'start the scheduler' : `find the cluster of ${schedulerFile}`
    using _progress = showProgress(this.#run, () => `waiting for process 0 to ${what}`)
    return await untilAborted(Promise.race([this.#cluster.promise, this.#over()]), this.#run.signal)
  }

  /**
   * The certificates of the run, which process 0 has made.
   *
   * @throws RunIsOver, or the reason of the run's signal.
   */
  async certificates(): Promise<TlsMaterial> {
    return await untilAborted(Promise.race([this.#certificates.promise, this.#over()]), this.#run.signal)
  }

  /**
   * Until `count` workers run or `givenUp` settles.
   *
   * @throws RunIsOver
   */
  async awaitWorkers(count: number | 'all', givenUp: Promise<unknown>): Promise<void> {
    using _progress = showProgress(this.#run, () => `waiting for workers${this.#workersNow}`)
    this.send({ type: 'await-workers', count: count === 'all' ? null : count })
    await Promise.race([this.#workersCame.promise, this.#over(), givenUp])
  }

  /**
   * What `work` gives.
   *
   * @throws RunIsOver where the run ends before it does, or what `work` rejects with.
   */
  async unlessOver<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.#over()])
  }

  async #over(): Promise<never> {
    throw new RunIsOver(await this.#verdict.promise)
  }

  [Symbol.dispose](): void {
    this.#pulse?.[Symbol.dispose]()
  }

  #hear(message: FromCoordinator): void {
    switch (message.type) {
      case 'cluster':
        this.#cluster.resolve(message.file)
        break
      case 'workers':
        this.#workersNow = `: ${message.running} of ${message.wanted} run`
        if (message.running >= message.wanted) this.#workersCame.resolve(undefined)
        break
      case 'certificates':
        this.#certificates.resolve(message)
        break
      case 'terminate':
        this.#handlers.onTerminate(message.signal)
        break
      case 'end':
        if (message.forced) this.#handlers.onForced()
        this.#told = true
        this.#verdict.resolve(message)
        break
      default:
        break
    }
  }

  #lose(how: 'closed' | 'silent'): void {
    // That it fell silent after it had told of the end matters still: it may hold the step.
    if (how === 'silent' || !this.#told) this.#lost = how
    if (this.#told) return
    const { roles, options, identity } = this.#run
    const where = this.#gathererHost === undefined ? '' : ` on ${this.#gathererHost}`
    const why =
      how === 'closed'
        ? 'its connection closed before the end of the run'
        : `nothing was heard of it for ${formatDuration(options.lostAfter)}: it is frozen, or its host or its network is gone`
    const error = new RunnerError(`Lost process 0 (${roles[0]?.join(', ') ?? ''})${where}: ${why}`, {
      code: 'ERR_COMPONENT_LOST',
    })
    const failure = { ...failureOf(error, identity), rank: 0, host: this.#gathererHost ?? 'unknown' }
    this.#verdict.resolve({ status: failure.status, failure, forced: false })
  }
}
