import type { RunResult } from '../control/messages.ts'
import { exitStatuses, exitStatusOf, messageOf, RunnerError } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import type { Role } from '../identity/roles.ts'
import { InterruptedError, type RunContext } from '../identity/run-context.ts'
import { signalStatus } from '../process/exit.ts'
import type { Failure, OutcomeRecord } from '../record/outcome-record.ts'
import { formatDuration } from '../util/duration.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'

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
  const message = `Lost rank ${rank} (${roles?.join(', ') ?? 'unknown'}) on ${host}: ${why}`
  return { status: exitStatuses.ERR_COMPONENT_LOST, message, rank, host, last_lines: [] }
}

/** Where it failed, for a message that does not say so itself: ` (rank 1 on node1)`. */
export function whereOf({ message, rank, host, role }: Failure): string {
  // A part of the cluster is known by its name and its host.
  const names = says(message, ` on ${host}`) && (role !== undefined || says(message.toLowerCase(), `rank ${rank}`))
  return names ? '' : ` (rank ${rank} on ${host})`
}

/** Whether a text has these words, and not the beginning of others, as `node1` is of `node10`. */
function says(text: string, words: string): boolean {
  return text
    .split(words)
    .slice(1)
    .some((rest) => !/^[\w-]/.test(rest))
}

/** Why somebody is lost who is silent. */
export function formatSilence(lostAfter: number): string {
  return `nothing was heard of it for ${formatDuration(lostAfter)}: it is frozen, or its host or its network is gone`
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

/** How a run ended, for those who come late: without a failure it is over. `cluster` says where rank 0 still answers. */
export function outcomeOf(
  { identity, options }: RunContext,
  failure: Failure | undefined,
  cluster: ClusterRecord | undefined,
): OutcomeRecord {
  return {
    version: 1,
    run_key: formatRunKey(identity.runKey),
    ...(failure === undefined ? {} : { failure }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(options.scheduler ? {} : { adds_workers: true }),
  }
}
