import type { RunResult } from '../control/messages.ts'
import type { RunContext } from '../identity/run-context.ts'
import type { Logger } from '../logger.ts'
import type { Failure } from '../record/outcome-record.ts'
import type { Member } from './member.ts'

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
  const where = isHere ? '' : ` (rank ${failure.rank} on ${failure.host})`
  const last = tellsAll ? undefined : failure.last_lines.at(-1)
  logger.error(`${failure.message}${where}${last === undefined ? '' : `: ${last}`}`)
  if (tellsAll) for (const line of failure.last_lines) logger.error(`| ${line}`)
}
