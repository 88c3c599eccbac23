import { type Channel, LocalChannel } from '../control/channel.ts'
import type { FromCoordinator, Hello, RunResult, ToCoordinator } from '../control/messages.ts'
import { exitStatuses } from '../errors.ts'
import type { SchedulerAddress } from '../components/scheduler.ts'
import type { Logger } from '../logger.ts'
import { answersAt, type ClusterRecord, type DaskVersions } from '../record/cluster-record.ts'
import type { Failure } from '../record/outcome-record.ts'
import type { PublishedFile, SchedulerFile } from '../record/scheduler-file.ts'
import type { EarlyExit } from '../rendezvous/rendezvous.ts'
import { deferred } from '../util/deferred.ts'
import { formatDuration } from '../util/duration.ts'
import { formatCount } from '../util/format.ts'
import type { TlsMaterial } from '../util/tls-files.ts'
import { settledWithin } from '../util/wait.ts'
import type { Arrivals } from './arrivals.ts'
import { Deputy } from './deputy.ts'
import type { RunEvent } from './recorder.ts'
import { type Decision, type RunShape, RunState } from './run-state.ts'
import type { Rank0Channel, RunSeams } from './seams.ts'
import type { WorkerWatch } from './worker-watch.ts'

/** Rank 0's end of a channel to a rank, or to a command beside the run. */
type OtherChannel = Channel<ToCoordinator, FromCoordinator>

/** Who wants to take part in the run. */
export type Caller = Pick<Hello, 'rank' | 'host' | 'pid' | 'instance'>

interface JoinedRank extends Caller {
  readonly channel: OtherChannel
  /** It has heard that it is welcome. */
  isHere: boolean
}

/** What {@link Coordinator} is made of. */
export interface CoordinatorParts {
  readonly shape: RunShape
  readonly logger: Logger
  /** Whether this run starts the scheduler. */
  readonly hasScheduler: boolean
  /** How long the client waits for its workers. In milliseconds. */
  readonly workersTimeout: number
  readonly watch: Pick<WorkerWatch, keyof WorkerWatch>
  /** Is told what happens, for the report. */
  readonly observe?: ((event: RunEvent) => void) | undefined
  readonly server: Awaited<ReturnType<RunSeams['listen']>>
  readonly record: ClusterRecord
  /** Tells the user of the workers that come. */
  readonly arrivals: Pick<Arrivals, keyof Arrivals>
  /** Tells the user how the run ends, before anybody else of it is told. */
  readonly tellUser: (result: RunResult) => void
}

/** A process whose channel breaks before it is here may come again within this time. */
const comingAgainMs = 5_000

/** Workers that end in peace may do so because the scheduler does: its end is heard within this time. */
const settlingMs = 1_500

/**
 * The control plane of a run, in rank 0: the channels of all ranks and of commands beside the run, and what they are
 * told. What is decided is {@link RunState}'s affair, what the scheduler knows of workers {@link WorkerWatch}'s.
 */
export class Coordinator {
  readonly #parts: CoordinatorParts
  readonly #state: RunState
  readonly #ranks = new Map<number, JoinedRank>()
  readonly #observers = new Set<OtherChannel>()
  readonly #everybodyCame = deferred<undefined>()
  readonly #everybodyDone = deferred<undefined>()
  readonly #everybodyGone = deferred<undefined>()
  readonly #deputy: Deputy
  /** How often a worker was killed because of its memory. */
  #memoryLosses = 0
  #record: ClusterRecord
  /** What has been told to those that have joined, each kind once: whoever joins later is told it, too. */
  readonly #announced = new Map<FromCoordinator['type'], FromCoordinator>()

  constructor(parts: CoordinatorParts) {
    this.#parts = parts
    this.#state = new RunState(parts.shape)
    this.#record = parts.record
    this.#deputy = new Deputy(parts.record.host, () => this.#present)
  }

  /** Our record, before there is a scheduler: who owns the run and how to reach it. */
  get record(): ClusterRecord {
    return this.#record
  }

  /** The channel of rank 0 itself. */
  join(): Rank0Channel {
    const { host, pid, nonce } = this.#record
    const [mine, theirs] = LocalChannel.pair<FromCoordinator, ToCoordinator>()
    this.add({ rank: 0, host, pid, instance: nonce }, theirs)
    return mine
  }

  /** Another thread sends our heartbeats, from a port of its own, while our own loop runs the user's code. */
  setHeartbeatPort(port: number): void {
    this.#record = { ...this.#record, control: { ...this.#record.control, heartbeat_port: port } }
  }

  // What is known of the run.

  /** Resolves when every rank has come, or has left word that it will not. */
  get everybodyCame(): Promise<unknown> {
    return this.#everybodyCame.promise
  }

  /** Resolves when every rank has come and has ended what it hosted, rank 0 excepted. */
  get everybodyDone(): Promise<unknown> {
    return this.#everybodyDone.promise
  }

  /** Resolves when every rank that has come, rank 0 excepted, has ended what it hosted. */
  get everybodyGone(): Promise<unknown> {
    return this.#everybodyGone.promise
  }

  /** Ranks that have not been heard of. */
  get missing(): readonly number[] {
    return this.#state.missing
  }

  /** Ranks that fell silent without having ended what they hosted. */
  get silent(): readonly number[] {
    return this.#state.silent
  }

  /** Whether ranks have come that have not yet told of their end. */
  get someUndone(): boolean {
    return this.#state.someUndone
  }

  /** Hosts of the ranks that have come. */
  get hosts(): ReadonlySet<string> {
    return new Set(this.#state.hosts.values())
  }

  // What happens in rank 0.

  /** The certificates of the run are there: gives them to everybody who has joined, and to whoever will. */
  giveCertificates(material: TlsMaterial): void {
    this.#announce({ type: 'certificates', ...material })
  }

  /** It is known when the job ends, in seconds since 1970: tells everybody, and whoever reads the scheduler file. */
  tellEndTime(endTime: number): void {
    this.#record = { ...this.#record, end_time: endTime }
    this.#announce({ type: 'end-time', end_time: endTime })
  }

  /** It is known where the scheduler will listen: tells everybody. */
  tellAddress({ address, connectTimeout, ownLink }: SchedulerAddress): void {
    const timeout = connectTimeout === undefined ? {} : { connect_timeout: connectTimeout }
    const link = ownLink === undefined ? {} : { own_link: ownLink }
    this.#announce({ type: 'address', address, n_workers: this.#record.n_workers, ...timeout, ...link })
  }

  /** The scheduler is there: gives its file with our record in it. */
  announce(scheduler: SchedulerFile, versions: DaskVersions | undefined): PublishedFile {
    this.#parts.watch.begin(scheduler, versions)
    this.#observe({ type: 'scheduler', address: scheduler.address, versions })
    const record = answersAt(this.#record, scheduler.address)
    // A file that a client of another cluster has written names all of its workers: too many for a message, and of no use.
    return { ...scheduler, workers: {}, dask_hpc_runner: { ...record, ...(versions && { versions }) } }
  }

  /** Tells everybody where the cluster is. */
  publish(file: PublishedFile): void {
    this.#announce({ type: 'cluster', file })
    this.#parts.arrivals.begin(() => this.#state.hosts)
    if (this.#parts.hasScheduler) void this.#parts.watch.mark(this.#record.nonce)
  }

  /** A rank will not come. */
  depart(exit: EarlyExit): void {
    this.#observe({ type: 'departed', exit })
    this.#do(this.#state.depart(exit))
  }

  /** Ends the run because of `failure`. */
  fail(failure: Failure): void {
    this.#do(this.#state.fail(failure))
  }

  /** Ends the run if the client's rank has not come in `time`. */
  failWithoutClient(time: string): void {
    this.#do(this.#state.failWithoutClient(time))
  }

  /** Ends the run as its client program did, or as what stands for it. */
  end(status: number): void {
    this.#do(this.#state.end(status))
  }

  /** The scheduler has ended: that workers end after it needs no cause of its own. */
  schedulerEnded(): void {
    this.#state.schedulerEnded()
  }

  unref(): void {
    this.#parts.server.unref()
  }

  async close(): Promise<void> {
    this.#parts.watch[Symbol.dispose]()
    await this.#parts.server.close()
  }

  // Those who connect.

  /**
   * Takes in a rank, or refuses it. A newer channel of the same process replaces the older one, which that process
   * has given up; another process that claims the same rank is refused.
   *
   * @returns whether it is taken in.
   */
  add(caller: Caller, channel: OtherChannel): boolean {
    const { rank, host } = caller
    const older = this.#ranks.get(rank)
    const why = this.#whyNot(caller, older)
    if (why !== undefined) {
      this.#parts.logger.warn(`a process on ${host} is not taken in: ${why}`)
      channel.send({ type: 'refused', why })
      channel.end()
      return false
    }
    const joined: JoinedRank = { ...caller, channel, isHere: false }
    this.#ranks.set(rank, joined)
    this.#state.come(rank, host)
    this.#observe({ type: 'came', rank, host })
    older?.channel.destroy()
    channel.send({ type: 'welcome' })
    for (const message of this.#announced.values()) channel.send(message)
    if (rank !== 0) this.#deputy.appoint(joined)
    this.#settle()
    this.#tellResult(channel)
    channel.onMessage((message) => {
      if (this.#ranks.get(rank) === joined) this.#hear(joined, message)
    })
    void channel.closed.then((how) => {
      const lose = (): void => {
        if (this.#ranks.get(rank) !== joined) return
        this.#observe({ type: 'lost', rank, how })
        this.#do(this.#state.lose(rank, how))
      }
      if (joined.isHere || how === 'silent') lose()
      else setTimeout(lose, comingAgainMs).unref()
    })
    return true
  }

  #whyNot({ rank, instance }: Caller, older: JoinedRank | undefined): string | undefined {
    const { roles } = this.#parts.shape
    if (roles[rank] === undefined) return `there is no rank ${rank} in this run of ${roles.length} processes`
    if (older === undefined) return undefined
    if (older.instance === instance) return this.#state.isDone(rank) ? `rank ${rank} was given up as lost` : undefined
    return (
      `another process claims to be rank ${rank} of this run (process id ${older.pid} on ${older.host}); ` +
      `were Slurm's variables copied by ssh?`
    )
  }

  #hear(joined: JoinedRank, message: ToCoordinator): void {
    const { rank, host } = joined
    const { watch, arrivals } = this.#parts
    if (message.type === 'worker-ended' && message.of_memory === true) this.#memoryLosses++
    this.#observe({ type: 'heard', rank, message })
    if (message.type === 'here') joined.isHere = true
    else if (message.type === 'worker-started') {
      watch.add({ ...message, rank, host })
      arrivals.add(rank, message.name, message.address)
    } else if (message.type === 'await-workers') void this.#awaitWorkers(joined, message.count)
    else if (message.type === 'ended' && message.status !== 0 && this.#state.result === undefined)
      this.#endWithFailure(message.status)
    else {
      const inPeace = message.type === 'worker-ended' && message.status === 0
      this.#do(this.#state.hear(rank, message, inPeace ? watch.whyEnded(rank) : undefined))
    }
  }

  /** The client program has failed. */
  #endWithFailure(status: number): void {
    const { logger, watch, hasScheduler } = this.#parts
    const count = this.#memoryLosses
    if (count > 0)
      logger.warn(`workers were killed because of their memory in this run, ${formatCount(count, 'time')}: see above`)
    if (hasScheduler && this.#announced.has('address') && !this.#announced.has('cluster')) {
      // A client that waits for the scheduler fails when that does, which is the cause, and is heard of within this time.
      setTimeout(() => {
        this.end(status)
      }, settlingMs).unref()
      return
    }
    // Asked before they end, and not waited for.
    void watch.warnOfPaused()
    this.end(status)
  }

  /** Takes in a command beside the run, which may wait for workers or end the run. */
  addObserver(channel: OtherChannel): void {
    this.#observers.add(channel)
    this.#tellResult(channel)
    channel.onMessage((message) => {
      if (message.type === 'await-workers')
        void this.#parts.watch.tellRunning(channel, message.count ?? this.#record.n_workers)
      else if (message.type === 'list-workers') void this.#parts.watch.tellPresent(channel)
      else if (message.type === 'get-certificates') {
        const certificates = this.#announced.get('certificates')
        if (certificates !== undefined) channel.send(certificates)
      } else if (message.type === 'stop') this.#do(this.#state.stop())
    })
    void channel.closed.then(() => this.#observers.delete(channel))
  }

  /** The client's rank cannot go on without so many workers; null: all that the run starts. */
  async #awaitWorkers({ rank, host, channel }: JoinedRank, count: number | null): Promise<void> {
    const { watch, logger, workersTimeout, hasScheduler } = this.#parts
    const wanted = count ?? this.#record.n_workers
    const come = watch.tellRunning(channel, wanted)
    if (hasScheduler) this.#do(this.#state.need(wanted))
    logger.detail(`the client program starts when ${wanted} workers run`)
    if (await settledWithin(come, workersTimeout)) return
    const missing = await watch.formatMissing(this.#state.hosts)
    if (await settledWithin(come, 0)) return
    const why = `after ${formatDuration(workersTimeout)} not all of the ${wanted} workers run: ${missing}`
    const message = `Cannot start the client program: ${why}`
    this.fail({ status: exitStatuses.ERR_TIMED_OUT, message, rank, role: 'client', host, last_lines: [] })
  }

  /** The ranks that are here, but rank 0. */
  get #present(): readonly JoinedRank[] {
    return [...this.#ranks.values()].filter(({ rank }) => rank !== 0 && !this.#state.isDone(rank))
  }

  // What is done.

  #do(decisions: readonly Decision[]): void {
    for (const decision of decisions) this.#doOne(decision)
    if (this.#state.result === undefined) this.#deputy.appoint()
    this.#settle()
  }

  #doOne(decision: Decision): void {
    this.#observe({ type: 'decided', decision })
    switch (decision.do) {
      case 'end':
        this.#parts.arrivals.end()
        this.#parts.tellUser(decision.result)
        for (const { channel } of this.#ranks.values()) this.#tellResult(channel)
        for (const channel of this.#observers) this.#tellResult(channel)
        break
      case 'terminate':
        this.#ranks.get(decision.rank)?.channel.send({ type: 'terminate', signal: decision.signal })
        break
      case 'warn':
        this.#parts.logger.warn(decision.message)
        break
      case 'forget workers':
        void this.#parts.watch.forget(decision.rank)
        break
      case 'judge later':
        setTimeout(() => {
          this.#do(this.#state.judgeWorkers(decision.failure, true))
        }, settlingMs).unref()
    }
  }

  /** Resolves what is waited for. */
  #settle(): void {
    const { missing, someUndone, result } = this.#state
    if (missing.length === 0 && !this.#announced.has('all-came')) {
      this.#everybodyCame.resolve(undefined)
      this.#announce({ type: 'all-came' })
    }
    if (result === undefined || someUndone) return
    this.#everybodyGone.resolve(undefined)
    if (missing.length === 0) this.#everybodyDone.resolve(undefined)
  }

  #tellResult(channel: OtherChannel): void {
    if (this.#state.result !== undefined) channel.send({ type: 'end', ...this.#state.result })
  }

  /** Tells all ranks that are here, and whoever will be. */
  #announce(message: FromCoordinator): void {
    this.#announced.set(message.type, message)
    for (const { channel } of this.#ranks.values()) channel.send(message)
  }

  #observe(event: RunEvent): void {
    this.#parts.observe?.(event)
  }
}
