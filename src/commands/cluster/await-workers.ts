import { ControlClient } from '../../control/control-client.ts'
import { DaskError } from '../../dask/errors.ts'
import { presentWorkers } from '../../dask/present-workers.ts'
import type { SchedulerClient } from '../../dask/scheduler-client.ts'
import { messageOf, RunnerError } from '../../errors.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import type { PresentWorkers } from '../../record/present-workers.ts'
import { formatDuration } from '../../util/duration.ts'
import { leftUntil } from '../../util/monotonic.ts'
import { printable } from '../../util/printable.ts'
import { askScheduler } from './find.ts'
import { findAgain, type KnownScheduler } from './find-again.ts'
import { formatCount } from '../../util/format.ts'

/** Whose workers are waited for, and how. */
export interface AwaitWorkersOptions {
  /** Who is asked at first: rank 0 of a run of ours, or the scheduler. */
  readonly asked: ControlClient | SchedulerClient
  readonly scheduler: KnownScheduler
  /** Of a run of ours. */
  readonly record: ClusterRecord | undefined
  readonly wanted: number
  /** Milliseconds of the whole wait, for messages. */
  readonly timeout: number
  /** When it is over, by `monotonic()`. */
  readonly end: number
  readonly signal: AbortSignal
  /** Called with the number of running workers, whenever it has changed. */
  readonly onProgress: (running: number) => void
}

/** Kept of the time, and at most this part of it, to see which workers there are when not all have come. In milliseconds. */
const lastQuestion = 2_000
const lastPart = 1 / 5

/**
 * Waits until so many workers run: rank 0 of a run tells it, any other scheduler is asked once a second. A connection
 * that breaks is not the cluster's end while the same scheduler can be connected to again.
 *
 * @returns the number of those that run.
 * @throws RunnerError ERR_TIMED_OUT with the workers that are there, ERR_COMPONENT_LOST where the
 * cluster ends meanwhile.
 */
export async function awaitWorkers(options: AwaitWorkersOptions): Promise<number> {
  const { scheduler, wanted, timeout, end, signal } = options
  const lastLookAt = end - Math.min(lastQuestion, timeout * lastPart)
  let running: number | undefined
  const onProgress = (now: number): void => {
    running = now
    options.onProgress(now)
  }
  let next = options.asked
  for (;;) {
    using asked = next
    try {
      const wait = { timeout: leftUntil(lastLookAt), signal, onProgress }
      return await asked.waitForWorkers(wanted, wait)
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error
      if (error.code === 'ERR_TIMED_OUT') return await lastLook(options, asked, { running, cause: error })
      if (!isBroken(error)) throw error
      const again = await findAgain(scheduler, { end: lastLookAt, signal })
      if (again === 'silent') return await lastLook(options, undefined, { running, cause: error })
      if (again === 'gone')
        throw new RunnerError(
          `Cannot wait for ${formatCount(wanted, 'worker')}: the cluster at ${scheduler.address} ended meanwhile`,
          { code: 'ERR_COMPONENT_LOST', cause: error },
        )
      next = again
    }
  }
}

/** Whether a connection has broken, to the scheduler or to rank 0. */
function isBroken(error: RunnerError): boolean {
  return error instanceof DaskError ? error.reason === 'closed' : error.code === 'ERR_UNAVAILABLE'
}

/** At the deadline: which workers there are. All may have come by now. */
async function lastLook(
  options: AwaitWorkersOptions,
  asked: ControlClient | SchedulerClient | undefined,
  { running, cause }: { readonly running: number | undefined; readonly cause: unknown },
): Promise<number> {
  const { scheduler, wanted, end, signal } = options
  let present: PresentWorkers
  try {
    const wait = { timeout: leftUntil(end), signal }
    present = asked instanceof ControlClient ? await asked.presentWorkers(wait) : await list(options)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof RunnerError && error.code === 'ERR_COMPONENT_LOST') throw error
    const before = running === undefined ? '' : `; ${running} ran when it did`
    const why = `the scheduler at ${scheduler.address} does not answer (${messageOf(error)})${before}`
    throw tooFew(options, why, cause)
  }
  if (present.running >= wanted) return present.running
  throw tooFew(options, formatMissing(present, options), cause)
}

/** Asks on a connection of its own, since the other one may wait for an answer. */
async function list({ scheduler: { address, tls }, end, signal }: AwaitWorkersOptions): Promise<PresentWorkers> {
  const found = await askScheduler(address, { timeout: leftUntil(end), signal, tls })
  if (found.kind !== 'alive') throw new Error(found.why)
  found.client.close()
  return presentWorkers(found.identity)
}

function formatMissing({ running, count: all, words }: PresentWorkers, options: AwaitWorkersOptions): string {
  const { scheduler, record, wanted } = options
  const missing = wanted - running
  const ofRun =
    record === undefined ? '' : `; the run starts ${record.n_workers}, rank 0 is on ${printable(record.host)}`
  return (
    `${missing} ${missing === 1 ? 'is' : 'are'} missing at ${scheduler.address}; ` +
    `there ${all === 1 ? 'is' : 'are'} ${words}${ofRun}`
  )
}

function tooFew({ wanted, timeout }: AwaitWorkersOptions, why: string, cause?: unknown): RunnerError {
  const message = `Cannot wait longer for ${formatCount(wanted, 'worker')}: after ${formatDuration(timeout)} ${why}`
  return new RunnerError(message, { code: 'ERR_TIMED_OUT', cause })
}
