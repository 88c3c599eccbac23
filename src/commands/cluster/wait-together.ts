import type { WaitOptions } from '../../dask/connection.ts'
import { RunnerError } from '../../errors.ts'
import type { Visit } from '../../control/visit.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import type { PresentWorkers } from '../../record/present-workers.ts'
import { monotonic } from '../../util/monotonic.ts'
import type { TlsFiles } from '../../util/tls-files.ts'
import { settledWithin, sleep, untilAborted } from '../../util/wait.ts'
import { Asker, namedAsker, visitAsker } from './asker.ts'
import type { Met, Speaker } from './meet.ts'

/** How a process waits for workers together with others. */
export interface TogetherOptions {
  /** When it is to say who is there, by `monotonic()`. */
  readonly lastLookAt: number
  /** When it is over, by `monotonic()`. */
  readonly end: number
  readonly signal: AbortSignal
  readonly tls?: TlsFiles | undefined
  /** Called with the number of running workers. */
  readonly onProgress: (running: number) => void
}

/** What a process has come to know of those that ask for all. */
export class Askers {
  /** Nonces of those that are lost, or that we were ourselves. */
  readonly lost = new Set<string>()
  #unreached = 0

  /** After so many in a row that cannot be reached, it is the network that keeps us apart. */
  get areApart(): boolean {
    return this.#unreached >= 3
  }

  /** Where it is looked for once more, it has been lost meanwhile. */
  reached({ nonce }: ClusterRecord): void {
    this.lost.add(nonce)
    this.#unreached = 0
  }

  notReached({ nonce }: ClusterRecord): void {
    this.lost.add(nonce)
    this.#unreached++
  }
}

/** Hosts that come at once come apart by so much, so that few of them begin to ask. In milliseconds. */
const apart = 100
/** Until others know of the same loss. In milliseconds. */
const untilLostToAll = 1_000

/**
 * Waits until `count` workers run at a scheduler that is not of ours. However many processes wait so,
 * one of them asks and tells the others: the scheduler keeps its record for those of other hosts.
 *
 * @returns how many run, or at the deadline which there are.
 * @throws RunnerError ERR_UNAVAILABLE where the one that asks is lost: another has to take its place.
 * @throws DaskError where the scheduler does not answer any more.
 */
export async function waitTogether(
  met: Met,
  count: number,
  askers: Askers,
  options: TogetherOptions,
): Promise<number | PresentWorkers> {
  const { present } = met
  if (present !== undefined) {
    options.onProgress(present.running)
    if (present.running >= count) return present.running
    if (monotonic() >= options.lastLookAt) return present
  }
  if (met.kind === 'speaker') return await speakForAll(met, count, askers, options)
  if (met.asker === undefined) throw lostAsker('nobody asks')
  if (askers.lost.has(met.asker.nonce)) {
    // To us alone, or the others will see it in a moment: then it is no longer named.
    await sleep(Math.min(untilLostToAll, left(options.lastLookAt)), options.signal)
    askers.lost.delete(met.asker.nonce)
    throw lostAsker('it is not heard')
  }
  using visit = await visitAsker(met.asker, waitUntil(options.lastLookAt, options))
  if (visit === undefined) {
    askers.notReached(met.asker)
    throw lostAsker('it cannot be reached')
  }
  askers.reached(met.asker)
  return await waitAtVisit(visit, count, options)
}

/** Waits at one that asks for all, which says at the deadline which workers there are. */
export async function waitAtVisit(
  visit: Visit,
  count: number,
  { lastLookAt, end, signal, onProgress }: TogetherOptions,
): Promise<number | PresentWorkers> {
  try {
    return await visit.waitForWorkers(count, { timeout: left(lastLookAt), signal, onProgress })
  } catch (error) {
    if (!(error instanceof RunnerError) || error.code !== 'ERR_TIMED_OUT') throw error
    return await visit.presentWorkers({ timeout: left(end), signal })
  }
}

/** Finds the one that asks for all hosts, or becomes it. */
async function speakForAll(
  speaker: Speaker,
  count: number,
  askers: Askers,
  options: TogetherOptions,
): Promise<number | PresentWorkers> {
  const { lastLookAt, end, signal, tls, onProgress } = options
  const { client, pace } = speaker
  const known = !askers.areApart
  if (known) {
    // With the question goes, where nobody is named, the word that it is we.
    await pace.turn(signal, 2)
    await sleep(Math.random() * Math.min(apart, left(lastLookAt)), signal)
    const named = await namedAsker(client, waitUntil(lastLookAt, options))
    if (named !== undefined && !askers.lost.has(named.nonce)) {
      using visit = await visitAsker(named, waitUntil(lastLookAt, options))
      if (visit !== undefined) {
        client.close()
        askers.reached(named)
        await speaker.introduce(named)
        return await waitAtVisit(visit, count, options)
      }
      askers.notReached(named)
    }
  }
  await using asker = await Asker.open(speaker, { end, signal, tls, known })
  askers.lost.add(asker.record.nonce)
  if (known) await asker.makeKnown()
  await speaker.introduce(asker.record)
  const come = asker.waitForWorkers(count, onProgress)
  if (await settledWithin(untilAborted(come, signal), left(lastLookAt))) {
    const running = await come
    if (running === undefined) throw lostAsker('another one asks')
    return running
  }
  const present = await asker.presentWorkers()
  if (present.running >= count) return present.running
  // The others have their deadline a moment later.
  await asker.nobodyVisits()
  return present
}

function lostAsker(why: string): RunnerError {
  return new RunnerError(`Cannot wait for the workers with the others: ${why}`, { code: 'ERR_UNAVAILABLE' })
}

function left(end: number): number {
  return Math.max(1, end - monotonic())
}

function waitUntil(end: number, { signal }: TogetherOptions): Required<WaitOptions> {
  return { timeout: left(end), signal }
}
