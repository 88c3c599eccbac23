import type { Line } from '../control/line.ts'
import type { FromHub, ToHub, Verdict } from '../control/messages.ts'
import { exitStatuses } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { signalStatus } from '../process/exit.ts'
import type { Failure } from '../record/outcome-record.ts'
import type { Role } from '../roles/roles.ts'
import { deferred } from '../util/deferred.ts'
import type { EndingSignal } from '../util/early-signals.ts'

/** What the run consists of. */
export interface CoordinatorOptions {
  /** The roles of each process, by rank. */
  readonly roles: readonly (readonly Role[])[]
  /** Workers of each process that hosts workers. */
  readonly workersEach: number
  readonly logger: Logger
}

interface Member {
  readonly line: Line<ToHub, FromHub>
  readonly host: string
  done: boolean
}

/**
 * Process 0's knowledge of the whole run: which processes have come, which are lost, and when it is
 * over. It decides the verdict, once, and tells it to everybody, those who come late included.
 */
export class Coordinator {
  readonly #members = new Map<number, Member>()
  /** Ranks that ended before they had joined. */
  readonly #departed = new Set<number>()
  readonly #roles: CoordinatorOptions['roles']
  readonly #logger: Logger
  readonly #clientRank: number | undefined
  /** How many workers are left, or still to come, on each rank. */
  readonly #workers: Map<number, number>
  readonly #everybodyCame = deferred<undefined>()
  readonly #everybodyDone = deferred<undefined>()
  #verdict: Verdict | undefined

  constructor(options: CoordinatorOptions) {
    this.#roles = options.roles
    this.#logger = options.logger
    const clientRank = options.roles.findIndex((roles) => roles.includes('client'))
    this.#clientRank = clientRank === -1 ? undefined : clientRank
    this.#workers = new Map(
      options.roles.flatMap((roles, rank) => (roles.includes('worker') ? [[rank, options.workersEach] as const] : [])),
    )
  }

  /** Resolves when every process of the run has come, or has left word that it will not. */
  get everybodyCame(): Promise<unknown> {
    return this.#everybodyCame.promise
  }

  /** Resolves when every process of the run has come and has ended what it hosted, process 0 excepted. */
  get everybodyDone(): Promise<unknown> {
    return this.#everybodyDone.promise
  }

  /** Ranks that have not been heard of. */
  get missing(): readonly number[] {
    return this.#roles.map((_, rank) => rank).filter((rank) => !this.#members.has(rank) && !this.#departed.has(rank))
  }

  /** Notes that the process `rank` has ended before it joined, and will not come. */
  depart(rank: number): void {
    this.#departed.add(rank)
    this.#lookWhetherAllCame()
    if (this.#verdict !== undefined) this.#lookWhetherAllDone()
  }

  /** Takes in the process `rank`. */
  add(rank: number, host: string, line: Line<ToHub, FromHub>): void {
    if (this.#roles[rank] === undefined) {
      this.#logger.warn(`a process says that it is rank ${rank}, on ${host}, which is not of this run`)
      line.end()
      return
    }
    if (this.#members.has(rank)) {
      this.#logger.warn(`a second process says that it is rank ${rank}, on ${host}: it is not listened to`)
      line.end()
      return
    }
    const member: Member = { line, host, done: false }
    this.#members.set(rank, member)
    this.#lookWhetherAllCame()
    if (this.#verdict !== undefined) line.send({ type: 'end', ...this.#verdict })
    line.onMessage((message) => {
      this.#hear(rank, member, message)
    })
    void line.closed.then(() => {
      this.#lose(rank, member)
    })
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

  #hear(rank: number, member: Member, message: ToHub): void {
    switch (message.type) {
      case 'ended':
        this.end(message.status)
        break
      case 'worker-ended':
        this.#loseWorkers(rank, 1, message.status, {
          status: exitStatuses.ERR_COMPONENT_LOST,
          message: message.message,
          rank,
          host: member.host,
          last_lines: message.last_lines,
        })
        break
      case 'failed':
        this.fail(message.failure)
        break
      case 'signal':
        this.#interrupt(message.signal, message.again)
        break
      case 'done':
        member.done = true
        this.#lookWhetherAllDone()
        break
      case 'who':
      case 'hello':
        break
    }
  }

  #lose(rank: number, member: Member): void {
    if (member.done) return
    member.done = true
    const failure: Failure = {
      status: exitStatuses.ERR_COMPONENT_LOST,
      message: `Lost process ${rank} (${this.#roles[rank]?.join(', ') ?? 'unknown'}) on ${member.host}: it ended without a word`,
      rank,
      host: member.host,
      last_lines: [],
    }
    if (rank === this.#clientRank) this.fail(failure)
    else this.#loseWorkers(rank, this.#workers.get(rank) ?? 0, failure.status, failure)
    this.#lookWhetherAllDone()
  }

  #loseWorkers(rank: number, count: number, status: number, failure: Failure): void {
    const left = (this.#workers.get(rank) ?? 0) - count
    if (left > 0) this.#workers.set(rank, left)
    else this.#workers.delete(rank)
    if (this.#verdict !== undefined) return
    if (this.#workers.size > 0) {
      this.#logger.warn(`${failure.message}; the run goes on with the other workers`)
    } else if (this.#clientRank === undefined && status === 0) {
      this.end(0)
    } else {
      this.fail({ ...failure, message: `${failure.message}; no worker is left` })
    }
  }

  #interrupt(signal: EndingSignal, again: boolean): void {
    const client = this.#clientRank === undefined ? undefined : this.#members.get(this.#clientRank)
    if (again) this.#decide({ status: signalStatus(signal), forced: true })
    else if (client === undefined) this.end(signalStatus(signal))
    else client.line.send({ type: 'terminate', signal })
  }

  #decide(verdict: Verdict): void {
    if (this.#verdict === undefined) this.#verdict = verdict
    else if (verdict.forced && !this.#verdict.forced) this.#verdict = { ...this.#verdict, forced: true }
    else return
    for (const { line } of this.#members.values()) line.send({ type: 'end', ...this.#verdict })
    this.#lookWhetherAllDone()
  }

  #lookWhetherAllCame(): void {
    if (this.missing.length === 0) this.#everybodyCame.resolve(undefined)
  }

  #lookWhetherAllDone(): void {
    if (this.missing.length > 0) return
    if ([...this.#members].every(([rank, { done }]) => done || rank === 0)) this.#everybodyDone.resolve(undefined)
  }
}
