import type { RunResult, ToCoordinator } from '../control/messages.ts'
import { exitStatuses } from '../errors.ts'
import type { Role } from '../identity/roles.ts'
import { signalStatus } from '../process/exit.ts'
import type { Failure } from '../record/outcome-record.ts'
import type { EarlyExit } from '../rendezvous/rendezvous.ts'
import type { EndingSignal } from '../util/early-signals.ts'
import { formatSilence, lossOf, whereOf } from './failure.ts'

/** What the run consists of. */
export interface RunShape {
  /** The roles of each rank. */
  readonly roles: readonly (readonly Role[])[]
  /** Workers of each rank that hosts workers. */
  readonly workersEach: number
  /** Workers that are gone when one of these ends, because a command brings several. @default 1 */
  readonly workersPerCommand?: number
  /** With fewer workers the run cannot go on. */
  readonly minWorkers: number
  /** Milliseconds of silence after which a process counts as lost, for messages. */
  readonly lostAfter: number
}

/** What is to be done because of what has happened. */
export type Decision =
  /** The run ends like this: everybody is told. */
  | { readonly do: 'end'; readonly result: RunResult }
  /** The client, or whoever stands for it, ends first. */
  | { readonly do: 'terminate'; readonly rank: number; readonly signal: EndingSignal }
  | { readonly do: 'warn'; readonly message: string }
  /** The scheduler may not have noticed that the workers of this rank are lost. */
  | { readonly do: 'forget workers'; readonly rank: number }
  /** Workers have ended in peace: {@link RunState.judgeWorkers}, when the end of the scheduler would have been heard. */
  | { readonly do: 'judge later'; readonly failure: Failure }

/** What is said of a worker that has ended. */
export type WorkerEnded = Extract<ToCoordinator, { type: 'worker-ended' }>

interface Rank {
  readonly host: string
  /** It has ended what it hosted, or is lost. */
  isDone: boolean
}

/**
 * What rank 0 knows of the whole run: which ranks have come, which are lost, how many workers are left, and how the
 * run ends. It decides that once. It does nothing: what is to be done it returns.
 */
export class RunState {
  readonly #shape: RunShape
  readonly #come = new Map<number, Rank>()
  /** Ranks that ended before they had joined. */
  readonly #departed = new Set<number>()
  /** Ranks that fell silent: they may still be there, frozen or cut off. */
  readonly #silent = new Set<number>()
  readonly clientRank: number | undefined
  /** How many workers are left, or still to come, on each rank. */
  readonly #workers: Map<number, number>
  #needed: number
  #hasScheduler = true
  /** Failures of workers, of which the last one is told. */
  readonly #losses: Failure[] = []
  #result: RunResult | undefined

  constructor(shape: RunShape) {
    this.#shape = shape
    const clientRank = shape.roles.findIndex((roles) => roles.includes('client'))
    this.clientRank = clientRank === -1 ? undefined : clientRank
    this.#workers = new Map(
      shape.roles.flatMap((roles, rank) => (roles.includes('worker') ? [[rank, shape.workersEach] as const] : [])),
    )
    this.#needed = shape.minWorkers
  }

  /** How the run ends, once that is decided. */
  get result(): RunResult | undefined {
    return this.#result
  }

  /** Ranks that have not been heard of. */
  get missing(): readonly number[] {
    return this.#shape.roles.map((_, rank) => rank).filter((rank) => !this.#come.has(rank) && !this.#departed.has(rank))
  }

  /** Ranks that fell silent without having ended what they hosted. */
  get silent(): readonly number[] {
    return [...this.#silent]
  }

  /** Whether ranks have come that have not yet told of their end. */
  get someUndone(): boolean {
    return [...this.#come].some(([rank, { isDone }]) => !isDone && rank !== 0)
  }

  /** The hosts of those that have come, by rank. */
  get hosts(): ReadonlyMap<number, string> {
    return new Map([...this.#come].map(([rank, { host }]) => [rank, host]))
  }

  isDone(rank: number): boolean {
    return this.#come.get(rank)?.isDone === true
  }

  /** A rank has come, perhaps once more. */
  come(rank: number, host: string): void {
    this.#come.set(rank, { host, isDone: false })
    // Its host was lost, and is there again.
    this.#silent.delete(rank)
    const { roles, workersEach } = this.#shape
    if (this.#departed.delete(rank) && roles[rank]?.includes('worker') === true) this.#workers.set(rank, workersEach)
  }

  /** A rank will not come: it has ended before it joined, or its host is lost. */
  depart({ rank, failure, silent = false }: EarlyExit): readonly Decision[] {
    if (this.#departed.has(rank) || this.#come.has(rank)) return []
    this.#departed.add(rank)
    if (silent) this.#silent.add(rank)
    return this.#loseRank(rank, failure ?? this.#lossOf(rank, 'unknown', 'it ended before it had joined the run'))
  }

  /** The channel of a rank has closed. */
  lose(rank: number, how: 'closed' | 'silent'): readonly Decision[] {
    const lost = this.#come.get(rank)
    if (lost === undefined || lost.isDone) return []
    lost.isDone = true
    if (how === 'silent') this.#silent.add(rank)
    const why = how === 'closed' ? 'it ended without a word' : formatSilence(this.#shape.lostAfter)
    const decisions = this.#loseRank(rank, this.#lossOf(rank, lost.host, why))
    const goesOn = how === 'silent' && this.#result === undefined
    return goesOn ? [...decisions, { do: 'forget workers', rank }] : decisions
  }

  /** A rank that has come says something. `why`: why its workers may have ended that ended in peace. */
  hear(rank: number, message: ToCoordinator, why?: string): readonly Decision[] {
    switch (message.type) {
      case 'ended':
        return this.end(message.status)
      case 'worker-ended':
        return this.#workerEnded(rank, message, why)
      case 'failed':
        // The run can do without a rank that was to host workers alone.
        return rank === 0 ? this.fail(message.failure) : this.#loseRank(rank, message.failure)
      case 'signal':
        return this.#signal(message.signal, message.again)
      case 'done': {
        const done = this.#come.get(rank)
        if (done !== undefined) done.isDone = true
        return []
      }
      default:
        return []
    }
  }

  /** The client waits for so many workers: without them it cannot go on. */
  need(workers: number): readonly Decision[] {
    this.#needed = Math.max(this.#needed, workers)
    // What was lost before was none too many then.
    const last = this.#losses.at(-1)
    return last !== undefined && this.#workersLeft < this.#needed ? this.judgeWorkers(last, false) : []
  }

  /** Ends the run because of `failure`. */
  fail(failure: Failure): readonly Decision[] {
    return this.#decide({ status: failure.status, failure, forced: false })
  }

  /** Ends the run if the client's rank has not come in `time`. */
  failWithoutClient(time: string): readonly Decision[] {
    const rank = this.clientRank
    if (rank === undefined || this.#come.has(rank)) return []
    const message = `Cannot run the client program: rank ${rank}, which is to host it, has not come within ${time}`
    return this.fail({ status: exitStatuses.ERR_TIMED_OUT, message, rank, host: 'unknown', last_lines: [] })
  }

  /** Ends the run as its client program did, or as what stands for it. */
  end(status: number): readonly Decision[] {
    return this.#decide({ status, forced: false })
  }

  /** A command beside the run ends it: if there is no client, that is how it ends well. */
  stop(): readonly Decision[] {
    return this.clientRank === undefined ? this.end(0) : this.#signal('SIGTERM', false)
  }

  /** The scheduler has ended: that workers end after it needs no cause of its own. */
  schedulerEnded(): void {
    this.#hasScheduler = false
  }

  /** Workers are lost by `failure`: is the run over? */
  judgeWorkers(failure: Failure, inPeace: boolean): readonly Decision[] {
    if (this.#result !== undefined || !this.#hasScheduler) return []
    this.#losses.push(failure)
    const left = this.#workersLeft
    if (left >= this.#needed)
      return [{ do: 'warn', message: `${failure.message}${whereOf(failure)}; the run goes on with the other workers` }]
    if (left === 0 && this.clientRank === undefined && inPeace) return this.end(0)
    const few = left === 0 ? 'no worker is left' : `${left} of the ${this.#needed} workers that are needed are left`
    return this.fail({ ...failure, message: `${failure.message}; ${few}` })
  }

  #workerEnded(rank: number, message: WorkerEnded, why: string | undefined): readonly Decision[] {
    const { status, again, message: how, last_lines } = message
    if (again) return this.#result === undefined ? [{ do: 'warn', message: `${how}; it is started again` }] : []
    const failure: Failure = {
      status: exitStatuses.ERR_COMPONENT_LOST,
      message: why === undefined ? how : `${how}: ${why}`,
      rank,
      role: 'worker',
      host: this.#come.get(rank)?.host ?? 'unknown',
      last_lines,
    }
    return this.#loseWorkers(rank, this.#shape.workersPerCommand ?? 1, failure, status === 0)
  }

  #loseRank(rank: number, failure: Failure): readonly Decision[] {
    if (rank === this.clientRank) return this.fail(failure)
    return this.#loseWorkers(rank, this.#workers.get(rank) ?? 0, failure)
  }

  #lossOf(rank: number, host: string, why: string): Failure {
    return lossOf({ rank, roles: this.#shape.roles[rank], host }, why)
  }

  #loseWorkers(rank: number, count: number, failure: Failure, inPeace = false): readonly Decision[] {
    const left = (this.#workers.get(rank) ?? 0) - count
    if (left > 0) this.#workers.set(rank, left)
    else this.#workers.delete(rank)
    if (this.#result !== undefined || !this.#hasScheduler) return []
    return inPeace ? [{ do: 'judge later', failure }] : this.judgeWorkers(failure, false)
  }

  get #workersLeft(): number {
    return [...this.#workers.values()].reduce((a, b) => a + b, 0)
  }

  #signal(signal: EndingSignal, again: boolean): readonly Decision[] {
    // Without a client rank 0 decides.
    const decider = this.clientRank ?? 0
    if (again) return this.#decide({ status: signalStatus(signal), forced: true })
    if (!this.#come.has(decider)) return this.end(signalStatus(signal))
    return [{ do: 'terminate', rank: decider, signal }]
  }

  #decide(result: RunResult): readonly Decision[] {
    if (this.#result === undefined) this.#result = result
    else if (result.forced && !this.#result.forced) this.#result = { ...this.#result, forced: true }
    else return []
    return [{ do: 'end', result: this.#result }]
  }
}
