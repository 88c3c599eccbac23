import type { RunResult } from '../control/messages.ts'
import { exitStatusOf, messageOf, RunnerError } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import type { Logger } from '../logger.ts'
import { signalStatus } from '../process/exit.ts'
import type { Failure } from '../record/outcome-record.ts'
import { InterruptedError, type RunContext } from '../identity/run-context.ts'

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

/** How a process stands to a failure. */
export interface Standing {
  /** The failure was in this process. */
  readonly isHere: boolean
  /** This process tells everything about it; the others say the sentence alone. */
  readonly tells: boolean
}

/** What is known here of process 0. */
export interface MembershipState {
  /** Undefined where this process has not joined the run. */
  readonly line: unknown
  /** Undefined where process 0 is not lost. */
  readonly lost: unknown
}

/**
 * How the process of `run` stands to a failure: its last lines are told once, by the process whose
 * status counts.
 */
export function standingTo(
  failure: Failure,
  run: RunContext | undefined,
  membership: MembershipState | undefined,
): Standing {
  const me = run?.identity.rank
  const clientRank = run?.roles.findIndex((roles) => roles.includes('client')) ?? -1
  const teller = failure.rank === clientRank && failure.role === undefined ? 0 : Math.max(clientRank, 0)
  const tells =
    me === undefined ||
    me === teller ||
    membership?.line === undefined ||
    (membership.lost !== undefined && clientRank <= 0)
  return { isHere: failure.rank === me || failure.rank < 0, tells }
}

/** Tells the user of a failure, and where it was unless it was here. */
export function report(failure: Failure, { isHere, tells }: Standing, logger: Logger): void {
  const where = isHere ? '' : ` (process ${failure.rank} on ${failure.host})`
  const last = tells ? undefined : failure.last_lines.at(-1)
  logger.error(`${failure.message}${where}${last === undefined ? '' : `: ${last}`}`)
  if (tells) for (const line of failure.last_lines) logger.error(`| ${line}`)
}

/** The host of a process that never came is lost. */
export class HostLostError extends RunnerError {}

/** This process came when its run was already over. */
export class RunIsOver extends Error {
  readonly verdict: RunResult

  constructor(verdict: RunResult) {
    super('The run is over')
    this.verdict = verdict
  }
}
