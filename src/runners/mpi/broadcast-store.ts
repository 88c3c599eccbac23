import { RunnerError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { MpiHelper } from './library/helper.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import type { OutcomeRecord } from '../../record/outcome-record.ts'
import { type Found, parseFound } from '../../rendezvous/found.ts'
import { formatDuration } from '../../util/duration.ts'
import { monotonic } from '../../util/monotonic.ts'
import { deadline, settledWithin, untilAborted } from '../../util/wait.ts'

/** How the processes of one run meet by a broadcast. */
export interface BroadcastStoreOptions {
  readonly helper: Pick<MpiHelper, 'world' | 'received' | 'finalizing' | 'finalized' | 'exited' | 'broadcast' | 'kill'>
  /** Called with what the library says of this process; throws where that is not so. */
  readonly check: (world: { readonly rank: number; readonly size: number }) => void
  readonly size: number
  /** How long the others may take to come, from now on. In milliseconds. */
  readonly timeout: number
  readonly logger: Logger
}

/** How long a library may take to be left once every rank has got so far, and then its process to end. In milliseconds. */
const leaveTimeout = 5_000

/** How long a failed run waits for ranks that have not come yet, to tell them. In milliseconds. */
const lateArrivalAfterFailure = 5_000

/** A line of a process's last words is cut off here, so that a broadcast stays small. In characters. */
const longestLine = 1_000

/**
 * The rendezvous of a run by one broadcast over MPI: rank 0 calls `announce` or `publishOutcome`, the others `lookUp`. With that
 * MPI is over, in all of them.
 */
export class BroadcastStore {
  readonly #options: BroadcastStoreOptions
  readonly #began = monotonic()
  #state: 'waiting' | 'meeting' | 'over' = 'waiting'
  /** What rank 0 broadcasts when all have come. */
  #content: Found | undefined
  /** This process's part in the broadcast, once it has begun: gives what was broadcast. */
  #meeting: Promise<string> | undefined

  constructor(options: BroadcastStoreOptions) {
    this.#options = options
    const { helper, size, logger } = options
    helper.world.then(
      ({ rank }) => {
        if (rank === 0) logger.detail(`MPI_Init has returned, so all ${size} processes have come`)
      },
      () => undefined,
    )
  }

  /** Whether this process still takes part in MPI. */
  get isOver(): boolean {
    return this.#state === 'over'
  }

  /**
   * Gives all processes the address of rank 0, and resolves when they have it.
   *
   * @throws RunnerError ERR_TIMED_OUT where not all of them come, ERR_ENVIRONMENT where the library is
   * in another world than the launcher's, ERR_UNAVAILABLE where it fails, or the signal's reason.
   */
  async announce(record: ClusterRecord, signal: AbortSignal): Promise<void> {
    this.#content = { kind: 'coordinator', record }
    await untilAborted(this.#meet(), signal)
  }

  /**
   * Tells the processes, once they have come, that there is no cluster. If they are being given the address of rank 0 already, that
   * one tells them. Whether they were told; never throws.
   */
  async publishOutcome(outcome: OutcomeRecord): Promise<boolean> {
    if (this.#state === 'waiting') this.#content = { kind: 'outcome', outcome: shortened(outcome) }
    const late = (): Error => new Error('they are not waited for any longer')
    return await deadline(this.#meet(), lateArrivalAfterFailure, late).then(
      () => true,
      () => false,
    )
  }

  /**
   * Waits for what rank 0 gives.
   *
   * @throws RunnerError like {@link BroadcastStore.announce}.
   */
  async lookUp(signal: AbortSignal): Promise<Found> {
    const found = parseFound(await untilAborted(this.#meet(), signal))
    if (found !== undefined) return found
    throw new RunnerError('Cannot use what rank 0 has broadcast: it is not a record of this program', {
      code: 'ERR_UNAVAILABLE',
    })
  }

  async #meet(): Promise<string> {
    this.#meeting ??= this.#takePart()
    return await this.#meeting
  }

  async #takePart(): Promise<string> {
    const { helper, check, size } = this.#options
    check(
      await this.#inTime(
        helper.world,
        `not all of the ${size} processes had called MPI_Init, which waits for the last of them`,
      ),
    )
    if (this.#content !== undefined) {
      this.#state = 'meeting'
      helper.broadcast(JSON.stringify(this.#content))
    }
    const received = await this.#inTime(helper.received, 'rank 0 had not broadcast where it is')
    await this.#inTime(helper.finalizing, 'not all processes had received what rank 0 broadcast')
    await this.#leave()
    return received.text
  }

  /** MPI_Finalize may block for ever, and so may what a library does at the exit: then the run goes on without it. */
  async #leave(): Promise<void> {
    const { helper, logger } = this.#options
    this.#state = 'over'
    const left = helper.finalized.then(
      () => true,
      () => false,
    )
    if (!(await settledWithin(left, leaveTimeout)) || !(await left)) {
      helper.kill()
      logger.warn(
        'MPI_Finalize did not return: it is given up, and the launcher may call the end of this process abnormal',
      )
    }
    if (!(await settledWithin(helper.exited, leaveTimeout))) helper.kill()
  }

  async #inTime<T>(promise: Promise<T>, what: string): Promise<T> {
    const { timeout } = this.#options
    const left = Math.max(0, timeout - (monotonic() - this.#began))
    const late = (): Error =>
      new RunnerError(`Cannot find the other processes over MPI: after ${formatDuration(timeout)} ${what}`, {
        code: 'ERR_TIMED_OUT',
      })
    return await deadline(promise, left, late)
  }
}

function shortened(outcome: OutcomeRecord): OutcomeRecord {
  const { failure } = outcome
  if (failure === undefined) return outcome
  return {
    ...outcome,
    failure: { ...failure, last_lines: failure.last_lines.map((line) => line.slice(0, longestLine)) },
  }
}
