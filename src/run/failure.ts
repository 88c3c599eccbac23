import type { RunResult } from '../control/messages.ts'
import { exitStatuses, exitStatusOf, messageOf, RunnerError } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import type { Role } from '../identity/roles.ts'
import { InterruptedError, type RunContext } from '../identity/run-context.ts'
import type { Logger } from '../logger.ts'
import { signalStatus } from '../process/exit.ts'
import type { Failure } from '../record/outcome-record.ts'
import { formatDuration } from '../util/duration.ts'
import type { Member } from './member.ts'

/** An error as the processes of a run tell it to each other; `me` is where it came up. */
export function failureOf(error: unknown, me: Identity | undefined): Failure {
  return {
    status: error instanceof InterruptedError ? signalStatus(error.signal) : exitStatusOf(error),
    message: messageOf(error),
    rank: me?.rank ?? -1,
    host: me?.host ?? 'unknown',
    last_lines: error instanceof RunnerError ? [...error.lastLines] : [],
  }
}

/** A failure as the error that a program sees. */
export function errorOf(failure: Failure): RunnerError {
  return new RunnerError(failure.message, { code: 'ERR_COMPONENT_LOST', lastLines: failure.last_lines })
}

/** A process of the run, for people. */
export interface LostProcess {
  readonly rank: number
  readonly roles: readonly Role[] | undefined
  readonly host: string
}

/** The failure that a lost process is: it is `silent`, or for another reason. */
export function lossOf({ rank, roles, host }: LostProcess, why: string): Failure {
  const message = `Lost process ${rank} (${roles?.join(', ') ?? 'unknown'}) on ${host}: ${why}`
  return { status: exitStatuses.ERR_COMPONENT_LOST, message, rank, host, last_lines: [] }
}

/** Why somebody is lost who is silent. */
export function formatSilence(lostAfter: number): string {
  return `nothing was heard of it for ${formatDuration(lostAfter)}: it is frozen, or its host or its network is gone`
}

/** Tells the user why the run ends, once in this process. */
export class CauseTeller {
  readonly #run: RunContext
  readonly #member: Pick<Member, 'isJoined' | 'loss'>
  #hasTold = false

  constructor(run: RunContext, member: Pick<Member, 'isJoined' | 'loss'>) {
    this.#run = run
    this.#member = member
  }

  tell({ failure }: Pick<RunResult, 'failure'>): void {
    if (failure === undefined || this.#hasTold) return
    this.#hasTold = true
    logFailure(failure, { me: this.#run.identity.rank, tellsAll: this.#tellsAll(failure) }, this.#run.logger)
  }

  /** The last lines are told once, by the process whose status counts; the others tell the sentence alone. */
  #tellsAll(failure: Failure): boolean {
    const { roles, identity } = this.#run
    const clientRank = roles.findIndex((each) => each.includes('client'))
    const teller = failure.rank === clientRank && failure.role === undefined ? 0 : Math.max(clientRank, 0)
    return identity.rank === teller || !this.#member.isJoined || (this.#member.loss !== 'none' && clientRank <= 0)
  }
}

/** Tells the user of a failure, and where it was unless it was here. */
export function logFailure(
  failure: Failure,
  { me, tellsAll }: { readonly me: number | undefined; readonly tellsAll: boolean },
  logger: Logger,
): void {
  const isHere = failure.rank === me || failure.rank < 0
  const where = isHere ? '' : ` (process ${failure.rank} on ${failure.host})`
  const last = tellsAll ? undefined : failure.last_lines.at(-1)
  logger.error(`${failure.message}${where}${last === undefined ? '' : `: ${last}`}`)
  if (tellsAll) for (const line of failure.last_lines) logger.error(`| ${line}`)
}

/** The host of a process that never came is lost. */
export class HostLostError extends RunnerError {}

/** The run ended while this process was still starting. */
export class RunIsOver extends Error {
  readonly result: RunResult

  constructor(result: RunResult) {
    super('The run is over')
    this.result = result
  }
}
