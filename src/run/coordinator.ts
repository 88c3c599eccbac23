import type { Channel } from '../control/channel.ts'
import type { FromCoordinator, Hello, ToCoordinator, RunResult } from '../control/messages.ts'
import { exitStatuses } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { signalStatus } from '../process/exit.ts'
import type { Failure } from '../record/outcome-record.ts'
import type { PublishedFile } from '../record/scheduler-file.ts'
import type { Versions } from '../record/versions.ts'
import type { EarlyExit } from '../rendezvous/early-exits.ts'
import type { Role } from '../identity/roles.ts'
import { deferred } from '../util/deferred.ts'
import { formatDuration } from '../util/duration.ts'
import type { EndingSignal } from '../util/early-signals.ts'

/** What the run consists of. */
export interface CoordinatorOptions {
  /** The roles of each process, by rank. */
  readonly roles: readonly (readonly Role[])[]
  /** Workers of each process that hosts workers. */
  readonly workersEach: number
  /** Workers that are gone where one of these ends, because a command brings several. @default 1 */
  readonly workersPerCommand?: number
  /** With fewer workers the run cannot go on. */
  readonly minWorkers: number
  /** Milliseconds of silence after which a process counts as lost, for messages. */
  readonly lostAfter: number
  readonly logger: Logger
  /** Somebody wants to be told of running workers; null: of all that the run starts. */
  readonly onAwaitWorkers: (
    line: Channel<ToCoordinator, FromCoordinator>,
    count: number | null,
    rank: number | undefined,
  ) => void
  /** Somebody wants to be told which workers there are. */
  readonly onListWorkers: (line: Channel<ToCoordinator, FromCoordinator>) => void
  /** Called where the certificates of the run are asked for. */
  readonly onGetCertificates: (line: Channel<ToCoordinator, FromCoordinator>) => void
  /** A process that hosts workers has fallen silent, and the run goes on: the scheduler may not have noticed. */
  readonly onSilent: (rank: number) => void
  /** A worker has started. */
  readonly onWorkerStart: (worker: StartedWorker) => void
  /** Why the workers of a process may have ended that ended in peace. */
  readonly whyWorkersEnd: (rank: number) => string | undefined
}

/** A worker that has registered with the scheduler. */
export interface StartedWorker {
  readonly name: string
  readonly rank: number
  readonly host: string
  /** Undefined where they are not known. */
  readonly versions?: Versions | undefined
  /** Where it listens, such as `tcp://10.0.0.3:41234`; undefined where it is not known. */
  readonly address?: string | undefined
}

/** Who wants to take part in the run. */
export type Caller = Pick<Hello, 'rank' | 'host' | 'pid' | 'instance'>

interface Member extends Caller {
  readonly line: Channel<ToCoordinator, FromCoordinator>
  /** It has heard that it is welcome. */
  isHere: boolean
  done: boolean
}

/** A process whose channel breaks before it is here may come again within this time. In milliseconds. */
const comingAgain = 5_000

/** Workers that end in peace may do so because the scheduler does: its end is heard within this time. In milliseconds. */
const settlingTime = 1_500

/**
 * Process 0's knowledge of the whole run: which processes have come, which are lost, and when it is
 * over. It decides the verdict, once, and tells it to everybody, those who come late included.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions
  readonly #members = new Map<number, Member>()
  readonly #visitors = new Set<Channel<ToCoordinator, FromCoordinator>>()
  /** Ranks that ended before they had joined. */
  readonly #departed = new Set<number>()
  /** Ranks that fell silent: they may still be there, frozen or cut off. */
  readonly #silent = new Set<number>()
  readonly #clientRank: number | undefined
  /** How many workers are left, or still to come, on each rank. */
  readonly #workers: Map<number, number>
  readonly #everybodyCame = deferred<undefined>()
  readonly #everybodyDone = deferred<undefined>()
  readonly #everybodyGone = deferred<undefined>()
  #needed: number
  #cluster: PublishedFile | undefined
  #haveAllCome = false
  #schedulerEnded = false
  /** Of a worker, the last one. */
  #lastLoss: Failure | undefined
  #verdict: RunResult | undefined

  constructor(options: CoordinatorOptions) {
    this.#options = options
    const clientRank = options.roles.findIndex((roles) => roles.includes('client'))
    this.#clientRank = clientRank === -1 ? undefined : clientRank
    this.#workers = new Map(
      options.roles.flatMap((roles, rank) => (roles.includes('worker') ? [[rank, options.workersEach] as const] : [])),
    )
    this.#needed = options.minWorkers
  }

  /** Resolves when every process of the run has come, or has left word that it will not. */
  get everybodyCame(): Promise<unknown> {
    return this.#everybodyCame.promise
  }

  /** Resolves when every process of the run has come and has ended what it hosted, process 0 excepted. */
  get everybodyDone(): Promise<unknown> {
    return this.#everybodyDone.promise
  }

  /** Resolves when every process that has come, process 0 excepted, has ended what it hosted. */
  get everybodyGone(): Promise<unknown> {
    return this.#everybodyGone.promise
  }

  /** Ranks that have not been heard of. */
  get missing(): readonly number[] {
    const { roles } = this.#options
    return roles.map((_, rank) => rank).filter((rank) => !this.#members.has(rank) && !this.#departed.has(rank))
  }

  /** Ranks that fell silent without having ended what they hosted. */
  get silent(): readonly number[] {
    return [...this.#silent]
  }

  /** Whether processes have come that have not yet told of their end. */
  get someUndone(): boolean {
    return [...this.#members].some(([rank, { done }]) => !done && rank !== 0)
  }

  /** Hosts of the processes that have come. */
  get hosts(): ReadonlySet<string> {
    return new Set([...this.#members.values()].map(({ host }) => host))
  }

  /** The host of a process that has come. */
  hostOf(rank: number): string | undefined {
    return this.#members.get(rank)?.host
  }

  /** Notes that a process will not come: it has ended before it joined, or its host is lost. */
  depart({ rank, failure, silent = false }: EarlyExit): void {
    if (this.#departed.has(rank) || this.#members.has(rank)) return
    this.#departed.add(rank)
    if (silent) this.#silent.add(rank)
    const cause = failure ?? this.#lost(rank, 'unknown', 'it ended before it had joined the run')
    if (rank === this.#clientRank) this.fail(cause)
    else this.#loseWorkers(rank, this.#workers.get(rank) ?? 0, cause)
    this.#lookWhetherAllCame()
    if (this.#verdict !== undefined) this.#lookWhetherAllDone()
  }

  /** Tells everybody where the cluster is. */
  publish(file: PublishedFile): void {
    this.#cluster = file
    for (const { line } of this.#members.values()) line.send({ type: 'cluster', file })
  }

  /**
   * Takes in a process, or refuses it. A newer channel of the same process replaces the older one, which that process
   * has given up; another process that claims the same rank is refused.
   *
   * @returns whether it is taken in.
   */
  add(caller: Caller, line: Channel<ToCoordinator, FromCoordinator>): boolean {
    const { rank, host } = caller
    const older = this.#members.get(rank)
    const why = this.#whyNot(caller, older)
    if (why !== undefined) {
      this.#options.logger.warn(`a process on ${host} is not taken in: ${why}`)
      line.send({ type: 'refused', why })
      line.end()
      return false
    }
    const member: Member = { ...caller, line, isHere: false, done: false }
    this.#members.set(rank, member)
    older?.line.destroy()
    line.send({ type: 'welcome' })
    if (this.#haveAllCome) line.send({ type: 'all-came' })
    this.#lookWhetherAllCame()
    if (this.#cluster !== undefined) line.send({ type: 'cluster', file: this.#cluster })
    if (this.#verdict !== undefined) line.send({ type: 'end', ...this.#verdict })
    line.onMessage((message) => {
      this.#hear(rank, member, message)
    })
    void line.closed.then((how) => {
      const lose = (): void => {
        this.#lose(rank, member, how)
      }
      if (member.isHere || how === 'silent') lose()
      else setTimeout(lose, comingAgain).unref()
    })
    return true
  }

  #whyNot({ rank, instance }: Caller, member: Member | undefined): string | undefined {
    const { roles } = this.#options
    if (roles[rank] === undefined) return `there is no rank ${rank} in this run of ${roles.length} processes`
    if (member === undefined || (member.instance === instance && !member.done)) return undefined
    if (member.instance === instance) return `process ${rank} was given up as lost`
    return (
      `another process claims to be rank ${rank} of this run (process ${member.pid} on ${member.host}); ` +
      `were Slurm's variables copied by ssh?`
    )
  }

  /** Takes in somebody beside the run, who may wait for workers or end the run. */
  addObserver(line: Channel<ToCoordinator, FromCoordinator>): void {
    this.#visitors.add(line)
    if (this.#verdict !== undefined) line.send({ type: 'end', ...this.#verdict })
    line.onMessage((message) => {
      if (message.type === 'await-workers') this.#options.onAwaitWorkers(line, message.count, undefined)
      else if (message.type === 'list-workers') this.#options.onListWorkers(line)
      else if (message.type === 'get-certificates') this.#options.onGetCertificates(line)
      else if (message.type === 'stop') this.#stop()
    })
    void line.closed.then(() => this.#visitors.delete(line))
  }

  /** The client waits for so many workers: without them it cannot go on. */
  need(workers: number): void {
    this.#needed = Math.max(this.#needed, workers)
    // What was lost before was none too many then.
    if (this.#lastLoss !== undefined && this.#workersLeft < this.#needed) this.#judgeWorkers(this.#lastLoss, false)
  }

  /** Ends the run because of `failure`. */
  fail(failure: Failure): void {
    this.#decide({ status: failure.status, failure, forced: false })
  }

  /** Ends the run where the client's process has not come in `time`. */
  failWithoutClient(time: string): void {
    const rank = this.#clientRank
    if (rank === undefined || this.#members.has(rank)) return
    const message = `Cannot run the client program: process ${rank}, which is to host it, has not come within ${time}`
    this.fail({ status: exitStatuses.ERR_TIMED_OUT, message, rank, host: 'unknown', last_lines: [] })
  }

  /** Ends the run as its client program did, or as what stands for it. */
  end(status: number): void {
    this.#decide({ status, forced: false })
  }

  /** The scheduler has ended: that workers end after it needs no cause of its own. */
  schedulerEnded(): void {
    this.#schedulerEnded = true
  }

  #hear(rank: number, member: Member, message: ToCoordinator): void {
    if (this.#members.get(rank) !== member) return
    switch (message.type) {
      case 'ended':
        this.end(message.status)
        break
      case 'worker-started':
        this.#options.onWorkerStart({ ...message, rank, host: member.host })
        break
      case 'worker-ended':
        if (message.again) {
          if (this.#verdict === undefined) this.#options.logger.warn(`${message.message}; it is started again`)
        } else
          this.#loseWorkers(
            rank,
            this.#options.workersPerCommand ?? 1,
            this.#failureOfWorker(rank, member, message),
            message.status === 0,
          )
        break
      case 'failed':
        // The run can do without a process that was to host workers alone.
        if (rank === 0 || rank === this.#clientRank) this.fail(message.failure)
        else this.#loseWorkers(rank, this.#workers.get(rank) ?? 0, message.failure)
        break
      case 'signal':
        this.#interrupt(message.signal, message.again)
        break
      case 'await-workers':
        this.#options.onAwaitWorkers(member.line, message.count, rank)
        break
      case 'done':
        member.done = true
        this.#lookWhetherAllDone()
        break
      case 'here':
        member.isHere = true
        break
      case 'list-workers':
      case 'get-certificates':
      case 'stop':
      case 'heartbeat-channel':
      case 'heartbeat':
      case 'hello':
        break
    }
  }

  #failureOfWorker(rank: number, { host }: Member, { message: how, last_lines, status }: WorkerEnded): Failure {
    const why = status === 0 ? this.#options.whyWorkersEnd(rank) : undefined
    const message = why === undefined ? how : `${how}: ${why}`
    return { status: exitStatuses.ERR_COMPONENT_LOST, message, rank, role: 'worker', host, last_lines }
  }

  #lose(rank: number, member: Member, how: 'closed' | 'silent'): void {
    if (member.done || this.#members.get(rank) !== member) return
    member.done = true
    if (how === 'silent') this.#silent.add(rank)
    const why =
      how === 'closed'
        ? 'it ended without a word'
        : `nothing was heard of it for ${formatDuration(this.#options.lostAfter)}: it is frozen, or its host or its network is gone`
    const failure = this.#lost(rank, member.host, why)
    if (rank === this.#clientRank) this.fail(failure)
    else this.#loseWorkers(rank, this.#workers.get(rank) ?? 0, failure)
    if (how === 'silent' && this.#verdict === undefined) this.#options.onSilent(rank)
    this.#lookWhetherAllDone()
  }

  #lost(rank: number, host: string, why: string): Failure {
    const roles = this.#options.roles[rank]?.join(', ') ?? 'unknown'
    const message = `Lost process ${rank} (${roles}) on ${host}: ${why}`
    return { status: exitStatuses.ERR_COMPONENT_LOST, message, rank, host, last_lines: [] }
  }

  #loseWorkers(rank: number, count: number, failure: Failure, inPeace = false): void {
    const left = (this.#workers.get(rank) ?? 0) - count
    if (left > 0) this.#workers.set(rank, left)
    else this.#workers.delete(rank)
    if (this.#verdict !== undefined || this.#schedulerEnded) return
    if (inPeace) setTimeout(() => this.#judgeWorkers(failure, inPeace), settlingTime).unref()
    else this.#judgeWorkers(failure, inPeace)
  }

  #judgeWorkers(failure: Failure, inPeace: boolean): void {
    if (this.#verdict !== undefined || this.#schedulerEnded) return
    this.#lastLoss = failure
    const left = this.#workersLeft
    if (left >= this.#needed)
      this.#options.logger.warn(`${failure.message}${whereOf(failure)}; the run goes on with the other workers`)
    else if (left === 0 && this.#clientRank === undefined && inPeace) this.end(0)
    else {
      const few = left === 0 ? 'no worker is left' : `${left} of the ${this.#needed} workers that are needed are left`
      this.fail({ ...failure, message: `${failure.message}; ${few}` })
    }
  }

  get #workersLeft(): number {
    return [...this.#workers.values()].reduce((a, b) => a + b, 0)
  }

  #interrupt(signal: EndingSignal, again: boolean): void {
    // Without a client process 0 decides.
    const decider = this.#members.get(this.#clientRank ?? 0)
    if (again) this.#decide({ status: signalStatus(signal), forced: true })
    else if (decider === undefined) this.end(signalStatus(signal))
    else decider.line.send({ type: 'terminate', signal })
  }

  /** A visitor ends the run: where there is no client, that is how it ends well. */
  #stop(): void {
    if (this.#clientRank === undefined) this.end(0)
    else this.#interrupt('SIGTERM', false)
  }

  #decide(verdict: RunResult): void {
    if (this.#verdict === undefined) this.#verdict = verdict
    else if (verdict.forced && !this.#verdict.forced) this.#verdict = { ...this.#verdict, forced: true }
    else return
    for (const { line } of this.#members.values()) line.send({ type: 'end', ...this.#verdict })
    for (const visitor of this.#visitors) visitor.send({ type: 'end', ...this.#verdict })
    this.#lookWhetherAllDone()
  }

  #lookWhetherAllCame(): void {
    if (this.missing.length > 0 || this.#haveAllCome) return
    this.#haveAllCome = true
    this.#everybodyCame.resolve(undefined)
    for (const { line } of this.#members.values()) line.send({ type: 'all-came' })
  }

  #lookWhetherAllDone(): void {
    if (!this.someUndone) this.#everybodyGone.resolve(undefined)
    if (this.missing.length > 0) return
    if (!this.someUndone) this.#everybodyDone.resolve(undefined)
  }
}

type WorkerEnded = Extract<ToCoordinator, { type: 'worker-ended' }>

/** Where it failed, for a message that does not say so itself. */
function whereOf({ message, rank, host }: Failure): string {
  return message.includes(` on ${host}`) ? '' : ` (process ${rank} on ${host})`
}
