import { RunnerError } from '../errors.ts'
import { formatDuration } from '../util/duration.ts'
import { deadline, untilAborted } from '../util/wait.ts'
import { parseIdentity } from '../record/parse.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import type { DaskVersions } from '../record/cluster-record.ts'
import type { DaskProcess } from '../python/dask-process.ts'
import type { RunContext } from '../identity/run-context.ts'

/** A scheduler that runs: what it says of itself. */
export interface RunningScheduler {
  readonly scheduler: SchedulerFile
  readonly versions: DaskVersions
  /** Whether the user's configuration of Dask has a link to the dashboard. */
  readonly ownLink?: boolean | undefined
}

/** Where a scheduler will listen, or does so already. */
export interface SchedulerAddress {
  readonly address: string
  /** How long a client that may be early is to try to connect, in Dask's notation. Undefined: as the user has it. */
  readonly connectTimeout?: string
  /** Whether the user's configuration of Dask has a link to the dashboard. Undefined: that is not known. */
  readonly ownLink?: boolean | undefined
}

/**
 * Waits until it is known where the scheduler will listen: its port is bound, which is before it has imported Dask. Only of some
 * schedulers it is not known before they run.
 *
 * @param running as {@link schedulerRuns} gives it
 * @throws what that throws, or the reason of the run's signal.
 */
export async function schedulerAddress(
  process: DaskProcess,
  running: Promise<RunningScheduler>,
  { options, signal }: RunContext,
): Promise<SchedulerAddress> {
  const bound = process.bound.then(({ address, connect, link }) => ({
    ...{ address, ownLink: link },
    ...(connect ? {} : { connectTimeout: `${options.rendezvousTimeout / 1000}s` }),
  }))
  const runs = running.then(({ scheduler, ownLink }) => ({ address: scheduler.address, ownLink }))
  return await untilAborted(Promise.race([bound, runs]), signal)
}

/**
 * Waits until the scheduler runs.
 *
 * @throws RunnerError ERR_TIMED_OUT, or the error with which it ended.
 */
export async function schedulerRuns(
  process: DaskProcess,
  { options: { rendezvousTimeout } }: Pick<RunContext, 'options'>,
): Promise<RunningScheduler> {
  const late = (): Error =>
    new RunnerError(`Cannot start the scheduler: it was not running after ${formatDuration(rendezvousTimeout)}`, {
      code: 'ERR_TIMED_OUT',
      lastLines: process.tail,
    })
  const { identity, versions, link } = await deadline(process.started, rendezvousTimeout, late)
  const scheduler = parseIdentity(identity)
  if (scheduler === undefined)
    throw new RunnerError(`Cannot use what the scheduler says of itself: ${JSON.stringify(identity)}`, {
      code: 'ERR_BUG',
    })
  return { scheduler, versions, ownLink: link }
}
