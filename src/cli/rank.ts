import { exitStatuses } from '../errors.ts'
import { openStream, streamLine } from '../spread/line.ts'
import { joinDirectory } from '../spread/join-directory.ts'
import { spreadOrdersSchema } from '../spread/orders.ts'
import { takePlace } from '../spread/take-place.ts'
import { forceExit } from '../util/io-timeout.ts'
import { readOrders } from './read-orders.ts'

/**
 * A rank that `spread` has started, on whatever host: takes its place, and gives the command that it is to be.
 *
 * @param directory where its orders are, and which rank it is there. @default they come on the line from the launcher
 */
export async function takeRank(directory?: string, rank?: string): Promise<readonly string[]> {
  const command = await (directory === undefined ? fromStream() : fromDirectory(directory, Number(rank)))
  // The launcher says why.
  return command ?? forceExit(exitStatuses.ERR_TIMED_OUT)
}

async function fromStream(): ReturnType<typeof takePlace> {
  const stream = openStream()
  return await takePlace(await readOrders(spreadOrdersSchema, stream), streamLine(stream))
}

async function fromDirectory(directory: string, rank: number): ReturnType<typeof takePlace> {
  const { orders, line } = await joinDirectory(directory, rank)
  return await takePlace(orders, line)
}
