import type { RunResult } from '../control/messages.ts'
import type { RunContext } from '../identity/run-context.ts'
import type { Failure } from '../record/outcome-record.ts'
import type { Member } from './member.ts'

/**
 * Tells the user why the run ends, once in the output of all of its processes:
 *
 * - Rank 0 tells it, before it tells the others of the end: none of them can end, and have a launcher end all, before it is told.
 * - Whoever has the cause from rank 0, by its channel or by what it has left, does not repeat it.
 * - If rank 0 is lost, its deputy tells that: the rank that rank 0 has named for it. So does a rank that knows of none. (If
 *   the deputy, on another host, is lost at the same moment, the rank that has Slurm end the step says for whom.)
 * - A rank that has not joined the run tells why, unless another has told before that rank 0 is not to be had. A rank 0 that reads
 *   its word afterwards does not repeat it.
 */
export class CauseTeller {
  readonly #run: RunContext
  readonly #member: Pick<Member, 'isTold' | 'deputy' | 'loss'>
  #isOver = false

  constructor(run: RunContext, member: Pick<Member, 'isTold' | 'deputy' | 'loss'>) {
    this.#run = run
    this.#member = member
  }

  /** The run ends: tells why, if it is this process that has to. */
  tell({ failure }: Pick<RunResult, 'failure'>): void {
    if (failure === undefined || this.#isOver) return
    if (failure.told !== true && this.#isTeller) logFailure(failure, this.#run.identity.rank, this.#run)
    this.leaveToOthers()
  }

  /** It has been told by another process. */
  leaveToOthers(): void {
    this.#isOver = true
  }

  get #isTeller(): boolean {
    const { rank } = this.#run.identity
    const { isTold, deputy, loss } = this.#member
    if (rank === 0) return true
    if (isTold) return false
    return loss === 'none' || deputy === undefined || deputy === rank
  }
}

type FailureLog = Pick<RunContext, 'logger' | 'log'>

/** Tells the user of a failure, and where it was unless it was here, in rank `me`. */
export function logFailure(failure: Failure, me: number | undefined, { logger, log }: FailureLog): void {
  const isHere = failure.rank === me || failure.rank < 0
  const where = isHere ? '' : ` (rank ${failure.rank} on ${failure.host})`
  const last = failure.last_lines.at(-1)
  logger.error(`${failure.message}${where}${last === undefined ? '' : `: ${last}`}`)
  for (const line of failure.last_lines) logger.error(`| ${line}`)
  const path = log?.pathOf(failure.rank, failure.role)
  if (path !== undefined) logger.error(`| its log is ${path}`)
}
