import { defaults } from '../defaults.ts'
import { type Duration, parseDuration } from '../util/duration.ts'
import { bounded } from './bounded.ts'
import type { HelperConnection } from './connection.ts'

/** What the helper process is to connect to, and with what. */
export interface ConnectOrder {
  readonly address: string
  /** How long connecting may take. In milliseconds. */
  readonly timeout: number
  readonly [name: string]: unknown
}

/** What limits the wait beside the order. */
export interface ConnectHelperOptions {
  /** How long its import of Dask may take. In milliseconds. @default that of a rendezvous */
  readonly patience?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** How long after its own time limit Dask's word of it may come: it says more than that nothing came. In milliseconds. */
const answerTime = 5_000

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

/**
 * Has the helper process connect to a scheduler, and gives its answer. The time limit is that of connecting: it begins
 * when the helper has imported Dask, which takes long on a slow filesystem and has a limit of its own.
 *
 * @throws RunnerError ERR_TIMED_OUT, what the request throws, or the reason of `signal`.
 */
export async function connectHelper(
  connection: Pick<HelperConnection, 'request'>,
  order: ConnectOrder,
  { patience = defaults.rendezvousTimeout, signal }: ConnectHelperOptions = {},
): Promise<unknown> {
  await bounded(
    connection.request({ order: 'ready' }, signal),
    { timeout: patience, signal },
    () => 'start the Python of the client: it has not imported Dask',
  )
  const { ok } = await bounded(
    connection.request({ order: 'connect', ...order }, signal),
    { timeout: order.timeout + answerTime, signal },
    () => `connect to the scheduler at ${order.address}: it has not answered`,
  )
  return ok
}
