import { isSpoken } from '../dask/address.ts'
import type { SchedulerIdentity } from '../dask/answers.ts'
import { DaskError } from '../dask/errors.ts'
import { reachDask } from '../dask/verify-scheduler.ts'
import { RunnerError } from '../errors.ts'
import { formatDuration } from '../util/duration.ts'
import { leftUntil, monotonic } from '../util/monotonic.ts'
import { printable } from '../util/printable.ts'
import type { TlsFiles } from '../util/tls-files.ts'
import { settledWithin, sleep } from '../util/wait.ts'
import { findCluster, type LiveCluster, noCluster } from './cluster/find.ts'
import type { FindOptions } from './cluster/no-cluster.ts'
import { lookAt } from './cluster/look.ts'
import { formatCount } from '../util/format.ts'
import { type ConnectedRun, connectToRun } from './cluster/connect-to-run.ts'
import { certificatesFor } from './cluster/secure-cluster.ts'
import { formatTarget, type Target } from './cluster/target.ts'

/** What to stop. */
export interface StopOptions {
  readonly target: Target
  /** Milliseconds until the cluster has to be gone. */
  readonly timeout: number
  readonly signal: AbortSignal
  /** Called with what is being waited for. */
  readonly onProgress: (text: string) => void
}

/** What there was. */
interface StoppedCluster {
  readonly address: string
  readonly id: string
  /** Undefined where the scheduler did not say. */
  readonly workers: number | undefined
  /** Undefined where the cluster is not ours. */
  readonly runKey: string | undefined
}

/** What has been stopped, or why there was nothing to stop. */
export type Stopped =
  | (StoppedCluster & {
      readonly kind: 'stopped'
      /** The status that a run of ours ends with, where that is known. */
      readonly runStatus: number | undefined
      /** The scheduler file is still there, since nobody has removed it. */
      readonly fileIsLeft: boolean
    })
  | { readonly kind: 'nothing'; readonly why: string }

/** Between two looks whether it is gone. In milliseconds. */
const interval = 100
/** How long one look may take: a scheduler that is ending may accept a connection and not answer. */
const longestLook = 1_000
/** How long a scheduler may take to say which workers it has, before a run is ended all the same. In milliseconds. */
const shortQuestion = 2_000
/** How long its file may outlive a scheduler: Dask removes it as Python ends. In milliseconds. */
const fileTimeout = 5_000

/**
 * Ends a cluster and waits until it is gone. That there is none is fine, and so is the file of a
 * scheduler that is gone. No file is touched: those who have written it remove it, and the next run
 * on that path replaces one that is left.
 *
 * @throws RunnerError ERR_UNAVAILABLE where what is there is not known to be a Dask cluster or to be
 * gone, ERR_TIMED_OUT where it does not answer or does not end.
 */
export async function stopCluster(options: StopOptions): Promise<Stopped> {
  const { target, timeout, signal, onProgress } = options
  const end = monotonic() + timeout
  const connected = await connectToRun(target, { timeout, signal })
  const found = connected ?? (await findCluster(target, { timeout: leftUntil(end), signal }))
  switch (found.kind) {
    case 'connected':
    case 'alive':
      break
    case 'missing':
    case 'gone':
      return { kind: 'nothing', why: `${formatTarget(target)}: ${found.why}` }
    case 'foreign':
    case 'stranger':
    case 'unreachable':
    case 'silent':
      throw noCluster(target, 'Cannot stop', found)
  }
  const cluster = await describe(found, options, end)
  // The run gives none any more once it has ended.
  const tls = await tlsOfTarget(found, options, end)
  onProgress(`stopping ${formatCluster(cluster)}`)
  const runStatus = await tellToEnd(found, options, end)
  await gone(cluster, { ...options, tls }, end)
  const fileEnd = Math.min(end, monotonic() + fileTimeout)
  return { kind: 'stopped', ...cluster, runStatus, fileIsLeft: await isLeft(target, cluster.id, fileEnd, signal) }
}

/** Who is about to be stopped. A run of ours can be stopped even where its scheduler does not answer. */
async function describe(
  found: LiveCluster | ConnectedRun,
  { target, signal }: StopOptions,
  end: number,
): Promise<StoppedCluster> {
  const runKey = found.file?.dask_hpc_runner?.run_key
  const workersOf = (identity: SchedulerIdentity): number => Object.keys(identity.workers).length
  if (found.kind === 'alive') {
    const { client, identity } = found
    return { address: client.address, id: identity.id, workers: workersOf(identity), runKey }
  }
  const { id, address } = found.file
  const now = await findCluster(target, { timeout: Math.min(shortQuestion, leftUntil(end)), signal })
  if (now.kind !== 'alive') return { id, address, workers: undefined, runKey }
  now.client.close()
  return { id, address, workers: workersOf(now.identity), runKey }
}

/** Gives the run's status, where that is known. */
async function tellToEnd(
  found: LiveCluster | ConnectedRun,
  { signal }: StopOptions,
  end: number,
): Promise<number | undefined> {
  const timeout = leftUntil(end)
  if (found.kind === 'connected') {
    using client = found.client
    return await client.stop({ timeout, signal })
  }
  using client = found.client
  try {
    await client.terminate({ timeout, signal })
  } catch (error) {
    // Whether it has ended is looked at next.
    if (!(error instanceof DaskError)) throw error
  }
  return undefined
}

/** The certificates with which the end of its scheduler is seen; undefined where there are none, or none are needed. */
async function tlsOfTarget(
  found: LiveCluster | ConnectedRun,
  { target, signal }: StopOptions,
  end: number,
): Promise<TlsFiles | undefined> {
  const { file } = found
  if (found.kind === 'alive') return found.tls
  const certificates = await certificatesFor(found.file.address, file, target, { timeout: leftUntil(end), signal })
  return certificates.kind === 'tls' ? certificates.tls : undefined
}

async function gone(
  cluster: StoppedCluster,
  { tls, timeout, signal }: StopOptions & { readonly tls: TlsFiles | undefined },
  end: number,
): Promise<void> {
  for (;;) {
    const left = leftUntil(end)
    if (await isGone(cluster, tls, { timeout: Math.min(left, longestLook), signal })) return
    if (monotonic() >= end) {
      const message = `Cannot see the end of ${formatCluster(cluster)}: it is still there after ${formatDuration(timeout)}`
      throw new RunnerError(message, { code: 'ERR_TIMED_OUT' })
    }
    await sleep(Math.min(interval, left), signal)
  }
}

/** Whether the scheduler is gone for sure: what cannot be reached is not known to be. */
async function isGone(
  { address, id }: StoppedCluster,
  tls: TlsFiles | undefined,
  options: FindOptions,
): Promise<boolean> {
  // Of another protocol it can only be seen whether somebody listens.
  if (!isSpoken(address)) return (await reachDask(address, options)) === 'refuses'
  const now = await findCluster({ address, ...(tls && { tls }) }, options)
  if (now.kind !== 'alive') return now.kind !== 'silent' && now.kind !== 'unreachable'
  now.client.close()
  return now.identity.id !== id
}

async function isLeft(target: Target, id: string, end: number, signal: AbortSignal): Promise<boolean> {
  if ('address' in target) return false
  for (;;) {
    // A filesystem that hangs keeps nobody from having stopped the cluster.
    const sight = await withinTime(lookAt(target), leftUntil(end))
    if (sight === undefined) return false
    if (sight.kind !== 'file' || sight.file.id !== id) return false
    if (monotonic() >= end) return true
    await sleep(interval, signal)
  }
}

/** What comes of `promise`, or undefined where that takes longer than `ms` milliseconds. */
async function withinTime<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  return (await settledWithin(promise, ms)) ? await promise : undefined
}

/** A cluster in messages: `the scheduler at tcp://10.0.0.1:8786 and 2 workers of run sim-7.0-r0`. */
export function formatCluster({ address, workers, runKey }: StoppedCluster): string {
  const workersToo = workers === undefined ? '' : ` and ${formatCount(workers, 'worker')}`
  return printable(`the scheduler at ${address}${workersToo}${runKey === undefined ? '' : ` of run ${runKey}`}`)
}
