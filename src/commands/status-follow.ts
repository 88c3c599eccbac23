import { DaskError } from '../dask/errors.ts'
import { RunnerError } from '../errors.ts'
import { formatDuration } from '../util/duration.ts'
import { monotonic } from '../util/monotonic.ts'
import { settledWithin, sleep } from '../util/wait.ts'
import type { LiveCluster } from './cluster/find.ts'
import { findAgain } from './cluster/find-again.ts'
import type { Target } from './cluster/target.ts'
import { askConstants, type ClusterStatus, describeCluster, type StatusOptions } from './status.ts'

/** How to follow. */
export interface FollowOptions extends StatusOptions {
  /** Milliseconds between two looks. */
  readonly interval: number
  readonly onStatus: (status: ClusterStatus) => Promise<void>
  /** Called where an answer takes longer than the interval. */
  readonly onSilence: (text: string) => void
}

/**
 * Looks again and again until the cluster ends, or `signal` aborts. A connection that breaks is not
 * its end while the same scheduler can be connected to again.
 *
 * @throws RunnerError ERR_TIMED_OUT where the scheduler does not answer within `timeout`.
 */
export async function followCluster(target: Target, cluster: LiveCluster, options: FollowOptions): Promise<void> {
  const { timeout, signal } = options
  const { address } = cluster.client
  const { id } = cluster.identity
  const tooLate = (cause?: unknown): RunnerError =>
    new RunnerError(
      `Cannot follow the scheduler at ${address} any longer: no answer for ${formatDuration(timeout)}; it is busy, or frozen`,
      { code: 'ERR_TIMED_OUT', cause },
    )
  let { client } = cluster
  for (;;) {
    try {
      await look(target, { ...cluster, client }, options)
    } catch (error) {
      client.close()
      if (signal.aborted) throw signal.reason
      if (!(error instanceof DaskError)) throw error
      if (error.reason === 'silent') throw tooLate(error)
      if (error.reason !== 'closed') throw error
      const again = await findAgain({ address, id, tls: cluster.tls }, { end: monotonic() + timeout, signal })
      if (again === 'gone') return
      if (again === 'silent') throw tooLate(error)
      client = again
    }
  }
}

/** Looks again and again until that fails. */
async function look(target: Target, cluster: LiveCluster, options: FollowOptions): Promise<never> {
  const { client, file } = cluster
  const { timeout, interval, signal, onStatus, onSilence } = options
  const constants = await askConstants(cluster, options)
  for (;;) {
    const asked = monotonic()
    const answer = client.identity({ timeout, signal })
    while (!(await settledWithin(answer, interval)))
      onSilence(`no answer for ${formatDuration(monotonic() - asked)}: the scheduler is busy, or frozen`)
    await onStatus(describeCluster(target, { identity: await answer, file }, constants))
    await sleep(Math.max(0, interval - (monotonic() - asked)), signal)
  }
}
