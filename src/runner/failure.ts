import type { Verdict } from '../control/messages.ts'
import { exitStatusOf, messageOf, RunnerError } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import type { Logger } from '../logger.ts'
import { signalStatus } from '../process/exit.ts'
import type { Failure } from '../record/outcome-record.ts'
import { InterruptedError } from './context.ts'

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

/** Tells the user of a failure, and where it was unless it was here. */
export function report(failure: Failure, me: Identity | undefined, logger: Logger): void {
  const here = failure.rank === me?.rank || failure.rank < 0
  logger.error(failure.message + (here ? '' : ` (process ${failure.rank} on ${failure.host})`))
  for (const line of failure.last_lines) logger.error(`| ${line}`)
}

/** This process came when its run was already over. */
export class RunIsOver extends Error {
  readonly verdict: Verdict

  constructor(verdict: Verdict) {
    super('The run is over')
    this.verdict = verdict
  }
}
