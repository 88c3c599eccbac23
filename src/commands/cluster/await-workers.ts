import type { Visit } from '../../control/visit.ts'
import type { SchedulerIdentity } from '../../dask/calls/identity.ts'
import type { WaitOptions } from '../../dask/connection.ts'
import { DaskError } from '../../dask/errors.ts'
import { SchedulerClient } from '../../dask/scheduler-client.ts'
import { messageOf, RunnerError } from '../../errors.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import { sayDuration } from '../../util/duration.ts'
import { findAgain, type KnownScheduler } from './find-again.ts'
import { count, sayWorkers } from './say.ts'
import { waitTogether } from './wait-together.ts'

/** Whose workers are waited for, and how. */
export interface AwaitWorkersOptions {
  /** Who is asked at first: the scheduler, or process 0 of a run of ours. */
  readonly asked: SchedulerClient | Visit
  readonly scheduler: KnownScheduler
  /** Of a run of ours. */
  readonly record: ClusterRecord | undefined
  readonly wanted: number
  /** Milliseconds of the whole wait, for messages. */
  readonly timeout: number
  /** When it is over, by `performance.now()`. */
  readonly end: number
  readonly signal: AbortSignal
  /** Called with the number of running workers, whenever it has changed. */
  readonly onProgress: (running: number) => void
}

/** Kept of the time, and at most this part of it, to see which workers there are when not all have come. In milliseconds. */
const lastQuestion = 2_000
const lastPart = 1 / 5

/**
 * Waits until so many workers run. A connection that breaks is not the cluster's end while the same
 * scheduler can be connected to again.
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
      const wait = { timeout: Math.max(1, lastLookAt - performance.now()), signal, onProgress }
      if (asked instanceof SchedulerClient) return await waitTogether(asked, wanted, wait)
      return await asked.waitForWorkers(wanted, wait)
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error
      if (error.code === 'ERR_TIMED_OUT') return await lastLook(options, running, error)
      if (!isBroken(error)) throw error
      const again = await findAgain(scheduler, { end: lastLookAt, signal })
      if (again === 'silent') return await lastLook(options, running, error)
      if (again === 'gone')
        throw new RunnerError(
          `Cannot wait for ${count(wanted, 'worker')}: the cluster at ${scheduler.address} ended meanwhile`,
          { code: 'ERR_COMPONENT_LOST', cause: error },
        )
      next = again
    }
  }
}

/** Whether a connection has broken, to the scheduler or to process 0. */
function isBroken(error: RunnerError): boolean {
  return error instanceof DaskError ? error.reason === 'closed' : error.code === 'ERR_UNAVAILABLE'
}

/** At the deadline: says who is there, so that it can be seen who is not. */
async function lastLook(options: AwaitWorkersOptions, running: number | undefined, cause: unknown): Promise<number> {
  const { scheduler, record, wanted, timeout, end, signal } = options
  const { address, tls } = scheduler
  const give = (why: string): RunnerError =>
    new RunnerError(`Cannot wait longer for ${count(wanted, 'worker')}: after ${sayDuration(timeout)} ${why}`, {
      code: 'ERR_TIMED_OUT',
      cause,
    })
  let identity: SchedulerIdentity
  try {
    // The connection of before may be waiting for an answer that came too late.
    const wait = (): Required<WaitOptions> => ({ timeout: Math.max(1, end - performance.now()), signal })
    using client = await SchedulerClient.connect(address, { ...wait(), ...(tls && { tls }) })
    identity = await client.identity(wait())
  } catch (error) {
    signal.throwIfAborted()
    const before = running === undefined ? '' : `; ${running} ran when it did`
    throw give(`the scheduler at ${address} does not answer (${messageOf(error)})${before}`)
  }
  const all = Object.values(identity.workers)
  const missing = wanted - all.filter(({ status }) => status === 'running').length
  if (missing <= 0) return wanted - missing
  const ofRun = record === undefined ? '' : `; the run starts ${record.n_workers}, process 0 is on ${record.host}`
  throw give(
    `${missing} ${missing === 1 ? 'is' : 'are'} missing at ${address}; there ` +
      `${all.length === 1 ? 'is' : 'are'} ${sayWorkers(identity) ?? 'none'}${ofRun}`,
  )
}
