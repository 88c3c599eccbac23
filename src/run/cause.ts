import type { RunResult } from '../control/messages.ts'
import type { RunContext } from '../identity/run-context.ts'
import type { Failure } from '../record/outcome-record.ts'
import type { Rendezvous } from '../rendezvous/rendezvous.ts'
import { monotonic } from '../util/monotonic.ts'
import { settledWithin } from '../util/wait.ts'
import type { Member } from './member.ts'
import { whereOf } from './failure.ts'

/** After the loss of rank 0 its deputy has told it by then, if it lives; each waits a part more at random. In milliseconds. */
const deputyMs = 1_000
/** A deputy marks that it has told by then; one that wakes from a long sleep is mostly killed before, with its reaper. In milliseconds. */
const markMs = 500
/** So long whoever has told stays, which keeps the others from it. In milliseconds. */
const keepMs = 2_000

/**
 * Tells the user why the run ends, once in the output of all of its processes:
 *
 * - Rank 0 tells it, before it tells the others of the end: none of them can end, and have a launcher end all, before it is told.
 * - Whoever has the cause from rank 0, by its channel or by what it has left, does not repeat it.
 * - If rank 0 is lost, its deputy tells that: the rank that rank 0 has named for it. So does a rank that knows of none.
 * - If the deputy is lost at the same moment, the first of the others tells it ({@link settle}), or, if the hosts of both are silent,
 *   whoever has the workload manager end the step ({@link tellForDeputy}).
 * - A rank that has not joined the run tells why, unless another has told before that rank 0 is not to be had. A rank 0 that reads
 *   its word afterwards does not repeat it.
 */
export class CauseTeller {
  readonly #run: RunContext
  readonly #member: Pick<Member, 'isTold' | 'deputy' | 'loss'>
  readonly #rendezvous: Pick<Rendezvous, 'claimLoss'>
  /** What this process leaves to others. */
  #left: Failure | undefined
  #isOver = false
  #beganMs = 0

  constructor(
    run: RunContext,
    member: Pick<Member, 'isTold' | 'deputy' | 'loss'>,
    rendezvous: Pick<Rendezvous, 'claimLoss'>,
  ) {
    this.#run = run
    this.#member = member
    this.#rendezvous = rendezvous
  }

  /** The run ends: tells why, if it is this process that has to. */
  tell({ failure }: Pick<RunResult, 'failure'>): void {
    if (failure === undefined || this.#isOver) return
    this.#beganMs = monotonic()
    if (failure.told !== true && this.#isTeller) {
      this.#log(failure)
      if (this.#isUntoldAfterClose) setTimeout(() => void this.#rendezvous.claimLoss?.(), markMs).unref()
    } else if (this.#isLossUntold) this.#left = failure
    this.leaveToOthers()
  }

  /** It has been told by another process. */
  leaveToOthers(): void {
    this.#isOver = true
  }

  /** Rank 0 has ended: tells that after all, if its deputy has not, nor another. `hurry`: nothing has time any more. */
  async settle(hurry: Promise<unknown>): Promise<void> {
    if (!this.#isOver || !this.#isUntoldAfterClose) return
    const until = async (ms: number): Promise<unknown> =>
      await settledWithin(hurry, Math.max(0, this.#beganMs + ms - monotonic()))
    if (this.#left !== undefined) {
      await until(deputyMs * (1 + Math.random() / 4))
      if ((await this.#rendezvous.claimLoss?.()) === true) this.#log(this.#left)
    }
    // Whoever has looked takes the mark away with it.
    await until(keepMs)
  }

  /** It is this process that has the step ended, and the deputy's host does not answer. */
  tellForDeputy(): void {
    if (this.#left !== undefined && this.#member.loss === 'silent') this.#log(this.#left)
  }

  #log(failure: Failure): void {
    logFailure(failure, this.#run.identity.rank, this.#run)
    this.#left = undefined
  }

  get #isTeller(): boolean {
    const { rank } = this.#run.identity
    const { isTold, deputy, loss } = this.#member
    if (rank === 0) return true
    if (isTold) return false
    return loss === 'none' || deputy === undefined || deputy === rank
  }

  /** Rank 0 was lost before it has told of the end. */
  get #isLossUntold(): boolean {
    return this.#member.loss !== 'none' && !this.#member.isTold
  }

  get #isUntoldAfterClose(): boolean {
    return this.#isLossUntold && this.#member.loss === 'closed'
  }
}

type FailureLog = Pick<RunContext, 'logger' | 'log'>

/** Tells the user of a failure, and where it was unless that is said, or it was here, in rank `me`. */
export function logFailure(failure: Failure, me: number | undefined, { logger, log }: FailureLog): void {
  const isHere = failure.rank === me || failure.rank < 0
  const where = isHere ? '' : whereOf(failure)
  const last = failure.last_lines.at(-1)
  logger.error(`${failure.message}${where}${last === undefined ? '' : `: ${last}`}`)
  for (const line of failure.last_lines) logger.error(`| ${line}`)
  const path = log?.pathOf(failure.rank, failure.role)
  if (path !== undefined) logger.error(`| its log is ${path}`)
}
