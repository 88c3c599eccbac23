import { Visit } from '../../control/visit.ts'
import { DaskError } from '../../dask/errors.ts'
import { messageOf, RunnerError } from '../../errors.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import type { PresentWorkers } from '../../record/present-workers.ts'
import { sayDuration } from '../../util/duration.ts'
import { monotonic } from '../../util/monotonic.ts'
import { printable } from '../../util/printable.ts'
import { sleep } from '../../util/wait.ts'
import { visitAsker } from './asker.ts'
import type { KnownScheduler } from './find-again.ts'
import { type Met, meetAt } from './meet.ts'
import { count } from './say.ts'
import { Askers, type TogetherOptions, waitAtVisit, waitTogether } from './wait-together.ts'

/** Whose workers are waited for, and how. */
export interface AwaitWorkersOptions {
  /** Who is asked at first: process 0 of a run of ours, or whoever speaks with the scheduler. */
  readonly asked: Visit | Met
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
/** A scheduler that ends may accept a connection for a moment, and one that does not answer is asked again. In milliseconds. */
const pause = 250
/** How long one look for it may take. In milliseconds. */
const longestLook = 10_000

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
  let running: number | undefined
  const together: TogetherOptions = {
    lastLookAt: end - Math.min(lastQuestion, timeout * lastPart),
    ...{ end, signal, tls: scheduler.tls },
    onProgress: (now) => {
      running = now
      options.onProgress(now)
    },
  }
  const askers = new Askers()
  let next = options.asked
  for (;;) {
    let outcome: number | PresentWorkers
    try {
      outcome = await waitAt(next, wanted, askers, together)
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error
      const isLate = error.code === 'ERR_TIMED_OUT'
      if (!isLate && !isBroken(error)) throw error
      const first = error instanceof DaskError ? pause : 0
      const again = isLate ? 'silent' : await meetAgain(scheduler, askers, { ...together, pause: first })
      if (again === 'gone')
        throw new RunnerError(
          `Cannot wait for ${count(wanted, 'worker')}: the cluster at ${scheduler.address} ended meanwhile`,
          { code: 'ERR_COMPONENT_LOST', cause: error },
        )
      if (again !== 'silent') {
        next = again
        continue
      }
      outcome = await lastLook(options, running, error)
    }
    if (typeof outcome === 'number') return outcome
    if (outcome.running >= wanted) return outcome.running
    throw tooFew(options, sayMissing(outcome, options))
  }
}

async function waitAt(
  asked: Visit | Met,
  wanted: number,
  askers: Askers,
  options: TogetherOptions,
): Promise<number | PresentWorkers> {
  if (asked instanceof Visit) {
    using visit = asked
    return await waitAtVisit(visit, wanted, options)
  }
  await using speaker = asked.kind === 'speaker' ? asked : undefined
  return await waitTogether(speaker ?? asked, wanted, askers, options)
}

/** Whether a connection has broken, to the scheduler or to the process that asks it. */
function isBroken(error: RunnerError): boolean {
  return error instanceof DaskError ? error.reason === 'closed' : error.code === 'ERR_UNAVAILABLE'
}

/**
 * Comes together again with those of this host where the one that asked is lost, or the connection
 * to the scheduler is: a network may have cut it.
 *
 * @returns `gone` where another scheduler or none listens in its place; `silent` where it has not
 * answered in time, so that it is not known what became of it.
 */
async function meetAgain(
  { address, id, tls }: KnownScheduler,
  { areApart }: Askers,
  { lastLookAt, signal, pause: first }: TogetherOptions & { readonly pause: number },
): Promise<Met | 'gone' | 'silent'> {
  const left = (): number => lastLookAt - monotonic()
  for (let wait = first; left() > 0; wait = pause) {
    await sleep(Math.min(wait, left()), signal)
    const timeout = Math.max(1, Math.min(left(), longestLook))
    const met = await meetAt(address, { timeout, signal, tls, atOnce: 0, apart: areApart })
    if (met.kind === 'speaker' || met.kind === 'told') {
      if (met.id === id) return met
      if (met.kind === 'speaker') await met[Symbol.asyncDispose]()
      return 'gone'
    }
    if (met.kind !== 'silent' && met.kind !== 'unreachable') return 'gone'
  }
  return 'silent'
}

function sayMissing({ running, count: all, words }: PresentWorkers, options: AwaitWorkersOptions): string {
  const { scheduler, record, wanted } = options
  const missing = wanted - running
  const ofRun =
    record === undefined ? '' : `; the run starts ${record.n_workers}, process 0 is on ${printable(record.host)}`
  return (
    `${missing} ${missing === 1 ? 'is' : 'are'} missing at ${scheduler.address}; ` +
    `there ${all === 1 ? 'is' : 'are'} ${words}${ofRun}`
  )
}

function tooFew({ wanted, timeout }: AwaitWorkersOptions, why: string, cause?: unknown): RunnerError {
  const message = `Cannot wait longer for ${count(wanted, 'worker')}: after ${sayDuration(timeout)} ${why}`
  return new RunnerError(message, { code: 'ERR_TIMED_OUT', cause })
}

/** At the deadline, where nobody is there who asks for all: which workers there are. */
async function lastLook(
  options: AwaitWorkersOptions,
  running: number | undefined,
  cause: unknown,
): Promise<PresentWorkers> {
  const { scheduler, end, signal } = options
  const { address, tls } = scheduler
  const wait = (): { timeout: number; signal: AbortSignal } => ({
    timeout: Math.max(1, end - monotonic()),
    signal,
  })
  const silent = (why: string): RunnerError => {
    const before = running === undefined ? '' : `; ${running} ran when it did`
    return tooFew(options, `the scheduler at ${address} does not answer (${why})${before}`, cause)
  }
  if (monotonic() >= end - 1) throw silent(messageOf(cause))
  const met = await meetAt(address, { ...wait(), tls, atOnce: 1 })
  if (met.kind === 'speaker') {
    await using speaker = met
    return speaker.present
  }
  if (met.kind !== 'told') throw silent(met.why)
  if (met.present !== undefined) return met.present
  try {
    using visit = met.asker && (await visitAsker(met.asker, wait()))
    if (visit !== undefined) return await visit.presentWorkers(wait())
  } catch (error) {
    signal.throwIfAborted()
    throw silent(messageOf(error))
  }
  throw silent('the process that asks for all cannot be reached')
}
