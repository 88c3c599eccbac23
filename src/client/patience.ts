import { type Duration, parseDuration } from '../util/duration.ts'

/**
 * How long a client tries to connect unless its program says so: in a run as long as that lets Dask's clients try, since the scheduler
 * may be only starting. What Dask alone can read of it is left to Dask.
 *
 * @param rendezvousTimeout that of the runner, if the target is one. In milliseconds.
 */
export function patienceOf(rendezvousTimeout: number | undefined, env: Readonly<NodeJS.ProcessEnv>): Duration {
  const given = env.DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT
  const isInRun = rendezvousTimeout !== undefined || env.DASK_HPC_RUNNER_N_WORKERS !== undefined
  const wanted = isInRun && given !== undefined ? parseDuration(given) : undefined
  return wanted ?? rendezvousTimeout ?? '30s'
}
