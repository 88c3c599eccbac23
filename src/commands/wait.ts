import type { ControlClient } from '../control/control-client.ts'
import { isSpoken } from '../dask/address.ts'
import type { SchedulerClient } from '../dask/scheduler-client.ts'
import { RunnerError } from '../errors.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import { defaultPollInterval } from '../rendezvous/file/watch.ts'
import { formatDuration } from '../util/duration.ts'
import { leftUntil, monotonic } from '../util/monotonic.ts'
import type { TlsFiles } from '../util/tls-files.ts'
import { sleep } from '../util/wait.ts'
import { awaitWorkers } from './cluster/await-workers.ts'
import { findCluster, noCluster } from './cluster/find.ts'
import type { KnownScheduler } from './cluster/find-again.ts'
import type { FindOptions, NoCluster } from './cluster/no-cluster.ts'
import { connectToRun } from './cluster/connect-to-run.ts'
import { formatCount } from '../util/format.ts'
import { certificatesFor } from './cluster/secure-cluster.ts'
import { StartingRun } from './cluster/starting-run.ts'
import { formatTarget, type Target } from './cluster/target.ts'

/** What `wait` waits for. */
export interface WaitCommandOptions {
  readonly target: Target
  /** How many workers have to run; `all` that the run starts, for a cluster of ours. */
  readonly workers: number | 'all'
  /** Milliseconds from the call until everything has to be there. */
  readonly timeout: number
  readonly signal: AbortSignal
  /** Called with what is being waited for. */
  readonly onProgress: (text: string) => void
  /** How many processes wait like this one, as far as is known: they share the filesystem. @default 1 */
  readonly waiters?: number
}

/** The cluster that was waited for. */
export interface ReadyCluster {
  readonly schedulerAddress: string
  /** Absolute; undefined where it was found by its address. */
  readonly schedulerFile: string | undefined
  /** How many workers the run starts; of a cluster that is not ours, how many were waited for. */
  readonly nWorkers: number
  /** When the job of the run ends, in seconds since 1970, where its scheduler file says so. */
  readonly endTime?: number | undefined
  /** How many run. */
  readonly running: number
  /** Certificates for it. */
  readonly tls?: TlsFiles | undefined
}

/** Between two looks for a cluster. In milliseconds. */
const leastInterval = 250
/** A scheduler that does not answer is left alone after so long, since its file may name another by then. */
const longestLook = 10_000
/** And a look takes as long as this, on a network. */
const shortestLook = 500

/**
 * Waits until the file is there, its scheduler answers as the one that the file names, and so many
 * workers run. What may still come is waited for: a file that is missing or incomplete, and one of a
 * scheduler that is gone, since the next run on that path replaces it.
 *
 * @throws RunnerError ERR_TIMED_OUT at the deadline, with what is missing; ERR_UNAVAILABLE where what
 * is at the path is no scheduler file; ERR_COMPONENT_LOST where the cluster ends meanwhile, or the run that starts it;
 * ERR_USAGE for `all` workers of a cluster that does not say how many it has.
 */
export async function waitForCluster(options: WaitCommandOptions): Promise<ReadyCluster> {
  const { target, workers, timeout, onProgress } = options
  const end = monotonic() + timeout
  if (workers === 'all' && 'address' in target) throw allOfWhat(target)
  const { asked, ...scheduler } = await find(options, end)
  const { address, file, tls } = scheduler
  const record = file?.dask_hpc_runner
  const wanted = workers === 'all' ? record?.n_workers : workers
  if (wanted === undefined) {
    asked[Symbol.dispose]()
    throw allOfWhat(target)
  }
  const say = (running: number): void => {
    onProgress(`${running} of ${formatCount(wanted, 'worker')} run at ${address}`)
  }
  say(0)
  return {
    schedulerAddress: address,
    schedulerFile: 'path' in target ? target.path : undefined,
    nWorkers: record?.n_workers ?? wanted,
    endTime: record?.end_time,
    tls,
    running: await awaitWorkers({ ...options, asked, scheduler, record, wanted, end, onProgress: say }),
  }
}

/** A cluster that is there. */
interface FoundCluster extends KnownScheduler {
  /** Who is asked. */
  readonly asked: ControlClient | SchedulerClient
  readonly file: SchedulerFile | undefined
}

async function find(
  { target, timeout, signal, onProgress, waiters = 1 }: WaitCommandOptions,
  end: number,
): Promise<FoundCluster> {
  const interval = Math.max(leastInterval, defaultPollInterval(waiters))
  using starting = 'path' in target ? new StartingRun(target.path) : undefined
  for (;;) {
    const found = await look(target, { timeout: leftUntil(end), signal })
    if ('asked' in found) return found
    if (found.kind === 'foreign') throw noCluster(target, 'Cannot wait for', found)
    starting?.look()
    onProgress(`waiting for the cluster of ${formatTarget(target)}: ${found.why}`)
    const pause = found.kind === 'missing' ? interval : Math.max(interval, 1_000)
    // What is cut short sees nothing: the last look is a whole one.
    const isLast = leftUntil(end) < pause + shortestLook
    const time = isLast ? leftUntil(end) : pause
    await (starting === undefined ? sleep(time, signal) : starting.sleep(time, signal))
    if (isLast) throw tooLate(target, timeout, found)
  }
}

/** Looks once: for rank 0 of a run of ours, and then for the scheduler. */
async function look(target: Target, { timeout, signal }: FindOptions): Promise<FoundCluster | NoCluster> {
  const end = monotonic() + timeout
  const connected = await connectToRun(target, { timeout, signal })
  // Of another protocol rank 0 counts no workers.
  if (connected !== undefined && !isSpoken(connected.file.address)) connected.client[Symbol.dispose]()
  else if (connected !== undefined) {
    const { client, file } = connected
    const certificates = await certificatesFor(file.address, file, target, { timeout: leftUntil(end), signal })
    if (certificates.kind !== 'tls') throw noCluster(target, 'Cannot wait for', certificates)
    return { asked: client, address: file.address, id: file.id, file, tls: certificates.tls }
  }
  const found = await findCluster(target, { timeout: Math.min(leftUntil(end), longestLook), signal })
  if (found.kind !== 'alive') return found
  const { client, identity, file, tls } = found
  return { asked: client, address: client.address, id: identity.id, file, tls }
}

function tooLate(target: Target, timeout: number, { why, kind }: NoCluster): RunnerError {
  const message = `Cannot find the cluster of ${formatTarget(target)}: after ${formatDuration(timeout)} ${why}`
  const advice = kind === 'gone' && 'path' in target ? '; the file is left from an earlier one' : ''
  return new RunnerError(message + advice, { code: 'ERR_TIMED_OUT' })
}

function allOfWhat(target: Target): RunnerError {
  const why = 'dask-hpc-runner has not started it, so that it does not say how many it has; give their number'
  return new RunnerError(`Cannot wait for all workers of ${formatTarget(target)}: ${why}`, { code: 'ERR_USAGE' })
}
