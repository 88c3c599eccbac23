import { DaskError } from '../../dask/errors.ts'
import type { WaitOptions } from '../../dask/connection.ts'
import type { SchedulerClient } from '../../dask/scheduler-client.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import { sayDuration } from '../../util/duration.ts'
import { deadline, sleep } from '../../util/wait.ts'
import { Asker, namedAsker, visitAsker } from './asker.ts'

/** How a process waits for workers together with others. */
export interface TogetherOptions {
  /** Milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal
  /** Called with the number of running workers. */
  readonly onProgress: (running: number) => void
}

/** Processes that come at once come apart by so much, so that few of them begin to ask. In milliseconds. */
const apart = 100
/** After so many in a row that cannot be reached, it is the network that keeps us apart. */
const mostTries = 3
/** Between two questions of a process that cannot come together with the others. In milliseconds. */
const aloneInterval = 1_000
/** How long it may take to say that we ask no more. In milliseconds. */
const withdrawTimeout = 1_000

/**
 * Waits until `count` workers run at a scheduler that is not of ours. However many processes wait so,
 * one of them asks and tells the others: the scheduler keeps its record for those that come. Where it
 * ends, another one takes its place.
 *
 * @returns how many run.
 * @throws DaskError `silent` where they are not there in time, or where the scheduler does not answer.
 */
export async function waitTogether(client: SchedulerClient, count: number, options: TogetherOptions): Promise<number> {
  const { timeout, signal } = options
  const end = performance.now() + timeout
  const wait = (): Required<WaitOptions> => ({ timeout: Math.max(1, end - performance.now()), signal })
  let running = 0
  const onProgress = (now: number): void => {
    running = now
    options.onProgress(now)
  }
  const tooFew = (cause?: unknown): DaskError =>
    new DaskError(
      `Cannot go on without ${count} workers: ${running} of them run at ${client.address} after ${sayDuration(timeout)}`,
      { reason: 'silent', address: client.address, cause },
    )
  const lost = new Set<string>()
  let unreached = 0
  while (performance.now() < end) {
    onProgress((await client.runningWorkers(wait())).size)
    if (running >= count) return running
    if (unreached >= mostTries)
      return await client.waitForWorkers(count, { ...wait(), interval: aloneInterval, onProgress })
    const named = await someAsker(client, lost, wait)
    if (named === undefined) {
      await using asker = await Asker.open(client, wait())
      lost.add(asker.nonce)
      const come = await deadline(asker.waitForWorkers(count, onProgress), wait().timeout, tooFew, signal)
      if (come === undefined) continue
      await asker.withdraw({ timeout: withdrawTimeout, signal }).catch(() => undefined)
      return come
    }
    try {
      using visit = await visitAsker(named, wait())
      unreached = -1
      return await visit.waitForWorkers(count, { ...wait(), onProgress })
    } catch (error) {
      signal.throwIfAborted()
      if (performance.now() >= end) throw tooFew(error)
      lost.add(named.nonce)
      unreached++
    }
  }
  throw tooFew()
}

/** Who asks, looked for once more after a moment before nobody counts as asking. */
async function someAsker(
  client: SchedulerClient,
  lost: ReadonlySet<string>,
  wait: () => Required<WaitOptions>,
): Promise<ClusterRecord | undefined> {
  for (const moment of [0, Math.random() * apart]) {
    if (moment > 0) await sleep(Math.min(moment, wait().timeout), wait().signal)
    const named = await namedAsker(client, wait())
    if (named !== undefined && !lost.has(named.nonce)) return named
  }
  return undefined
}
