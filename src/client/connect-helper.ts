import { defaults } from '../defaults.ts'
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
  const given = signal === undefined ? {} : { signal }
  await bounded(
    connection.request({ order: 'ready' }, signal),
    { timeout: patience, ...given },
    () => 'start the Python of the client: it has not imported Dask',
  )
  const { ok } = await bounded(
    connection.request({ order: 'connect', ...order }, signal),
    { timeout: order.timeout + answerTime, ...given },
    () => `connect to the scheduler at ${order.address}: it has not answered`,
  )
  return ok
}
