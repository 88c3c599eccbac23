import { RunnerError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { MpiHelper } from './library/helper.ts'
import type { Found } from '../../rendezvous/found.ts'
import type { OutcomeRecord } from '../../record/outcome-record.ts'
import { formatSchedulerFile } from '../../record/parse.ts'
import type { PublishedFile } from '../../record/scheduler-file.ts'
import { formatDuration } from '../../util/duration.ts'
import { monotonic } from '../../util/monotonic.ts'
import { deadline, settledWithin } from '../../util/wait.ts'
import { readOutcome, readPublished } from '../../rendezvous/file/run-directory.ts'

/** How the processes of one run meet by a broadcast. */
export interface BroadcastStoreOptions {
  readonly helper: Pick<MpiHelper, 'world' | 'received' | 'finalizing' | 'finalized' | 'exited' | 'broadcast' | 'kill'>
  /** Called with what the library says of this process; throws where that is not so. */
  readonly check: (world: { readonly rank: number; readonly size: number }) => void
  readonly size: number
  /** How long the others may take to come, from now on. In milliseconds. */
  readonly timeout: number
  /** How long a library may take to be left, once every rank has got so far. In milliseconds. @default 5_000 */
  readonly finalizeTimeout?: number
  readonly logger: Logger
}

/** How long a failed run waits for ranks that have not come yet, to tell them. In milliseconds. */
const lateArrivalAfterFailure = 5_000

/** A line of a process's last words is cut off here, so that a broadcast stays small. In characters. */
const longestLine = 1_000

/**
 * The rendezvous of a run by one broadcast over MPI: rank 0 calls `publish` or `publishOutcome`, the
 * others `lookUp`. With that MPI is over, in all of them.
 */
export class BroadcastStore {
  readonly #options: BroadcastStoreOptions
  readonly #began = monotonic()
  #state: 'waiting' | 'meeting' | 'over' = 'waiting'

  constructor(options: BroadcastStoreOptions) {
    this.#options = options
    const { helper, size, logger } = options
    helper.world.then(
      ({ rank }) => {
        if (rank === 0) logger.info(`MPI_Init has returned, so all ${size} processes have come`)
      },
      () => undefined,
    )
  }

  /** Whether this process still takes part in MPI. */
  get isOver(): boolean {
    return this.#state === 'over'
  }

  /**
   * Gives all processes the cluster.
   *
   * @throws RunnerError ERR_TIMED_OUT where not all of them come, ERR_ENVIRONMENT where the library is
   * in another world than the launcher's, ERR_UNAVAILABLE where it fails, or the signal's reason.
   */
  async publish(file: PublishedFile, signal: AbortSignal): Promise<void> {
    await this.#meet(formatSchedulerFile(file), signal)
  }

  /** Tells the processes, once they have come, that there is no cluster. Whether they were told; never throws. */
  async publishOutcome(outcome: OutcomeRecord): Promise<boolean> {
    if (this.#state !== 'waiting') return this.#state === 'over'
    const met = this.#meet(JSON.stringify(shortened(outcome)), undefined, lateArrivalAfterFailure).then(
      () => true,
      () => false,
    )
    return await met
  }

  /**
   * Waits for what rank 0 gives.
   *
   * @throws RunnerError like {@link BroadcastStore.publish}.
   */
  async lookUp(signal: AbortSignal): Promise<Found> {
    const text = await this.#meet(undefined, signal)
    const file = readPublished(text)
    if (file !== undefined) return { kind: 'cluster', file }
    const outcome = readOutcome(text)
    if (outcome !== undefined) return { kind: 'outcome', outcome }
    throw new RunnerError('Cannot use what rank 0 has broadcast: it is not a record of this program', {
      code: 'ERR_UNAVAILABLE',
    })
  }

  async #meet(text: string | undefined, signal?: AbortSignal, atMost = Infinity): Promise<string> {
    const { helper, check, size } = this.#options
    check(
      await this.#within(
        helper.world,
        atMost,
        signal,
        `not all of the ${size} processes had called MPI_Init, which waits for the last of them`,
      ),
    )
    signal?.throwIfAborted()
    if (text !== undefined) {
      this.#state = 'meeting'
      helper.broadcast(text)
    }
    const received = await this.#within(
      helper.received,
      atMost,
      signal,
      'rank 0 had not broadcast where the cluster is',
    )
    await this.#within(helper.finalizing, atMost, signal, 'not all processes had received what rank 0 broadcast')
    await this.#leave()
    return received.text
  }

  /** MPI_Finalize may block for ever: then it is left alone, and the run goes on without it. */
  async #leave(): Promise<void> {
    const { helper, logger, finalizeTimeout = 5_000 } = this.#options
    this.#state = 'over'
    const left = helper.finalized.then(
      () => true,
      () => false,
    )
    if (!(await settledWithin(left, finalizeTimeout)) || !(await left)) {
      helper.kill()
      logger.warn(
        'MPI_Finalize did not return: it is given up, and the launcher may call the end of this process abnormal',
      )
    }
    await helper.exited
  }

  async #within<T>(promise: Promise<T>, atMost: number, signal: AbortSignal | undefined, what: string): Promise<T> {
    const { timeout } = this.#options
    const left = Math.max(0, Math.min(atMost, timeout - (monotonic() - this.#began)))
    const late = (): Error =>
      new RunnerError(`Cannot find the other processes over MPI: after ${formatDuration(timeout)} ${what}`, {
        code: 'ERR_TIMED_OUT',
      })
    return await deadline(promise, left, late, signal)
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
