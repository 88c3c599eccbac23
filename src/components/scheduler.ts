import { RunnerError } from '../errors.ts'
import { formatDuration } from '../util/duration.ts'
import { deadline } from '../util/wait.ts'
import { parseIdentity } from '../record/parse.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import type { Versions } from '../record/versions.ts'
import type { DaskProcess } from '../python/dask-process.ts'
import type { RunContext } from '../identity/run-context.ts'

/** A scheduler that runs: what it says of itself. */
export interface RunningScheduler {
  readonly scheduler: SchedulerFile
  readonly versions: Versions
}

/**
 * Waits until the scheduler runs.
 *
 * @throws RunnerError ERR_TIMED_OUT, the error with which it ended, or the reason of the run's signal.
 */
export async function schedulerRuns(process: DaskProcess, { options, signal }: RunContext): Promise<RunningScheduler> {
  const { rendezvousTimeout } = options
  const late = (): Error =>
    new RunnerError(`Cannot start the scheduler: it was not running after ${formatDuration(rendezvousTimeout)}`, {
      code: 'ERR_TIMED_OUT',
      lastLines: process.tail,
    })
  const { identity, versions } = await deadline(process.started, rendezvousTimeout, late, signal)
  const scheduler = parseIdentity(identity)
  if (scheduler === undefined)
    throw new RunnerError(`Cannot use what the scheduler says of itself: ${JSON.stringify(identity)}`, {
      code: 'ERR_BUG',
    })
  return { scheduler, versions }
}
