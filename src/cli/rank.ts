import { openLine, takePlace } from '../spread/take-place.ts'
import { spreadOrdersSchema } from '../spread/orders.ts'
import { exitStatuses } from '../errors.ts'
import { forceExit } from '../util/io-timeout.ts'
import { readOrders } from './read-orders.ts'

/** A rank that `spread` has started, on whatever host: takes its place, and gives the command that it is to be. */
export async function takeRank(): Promise<readonly string[]> {
  const line = openLine()
  const command = await takePlace(await readOrders(spreadOrdersSchema, line), line)
  // The launcher says why.
  return command ?? forceExit(exitStatuses.ERR_TIMED_OUT)
}
