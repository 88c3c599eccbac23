import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { defaults } from '../defaults.ts'
import { RunnerError } from '../errors.ts'
import { PrivateDirectory } from '../filesystem/private-directory.ts'
import { bearLateSignals } from '../process/signals.ts'
import { formatDuration } from '../util/duration.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { monotonic } from '../util/monotonic.ts'
import { hiddenOnly } from '../util/own-commands.ts'
import { sleep } from '../util/wait.ts'
import { FollowedWords, lookIntervals } from './follow-words.ts'
import type { Line } from './line.ts'
import { type SpreadOrders, spreadOrdersSchema } from './orders.ts'

/** For how long a rank looks for its orders: the directory may show late on another host. In milliseconds. */
const patience = 30_000

/** The orders of a rank in that directory, and its line: when this process ends, its status is left there. */
export async function joinDirectory(
  path: string,
  rank: number,
): Promise<{ readonly orders: SpreadOrders; readonly line: Line }> {
  const directory = new PrivateDirectory(path)
  const orders = await readOrders(directory, `orders-${rank}`)
  // Another rank may have heard of a signal one look earlier, and this one hears of it from the run first.
  bearLateSignals(2 * Math.max(lookIntervals.running, orders.lookInterval))
  const list = async (): Promise<readonly string[]> => directory.list()
  const words = new FollowedWords({ rank, list, leastInterval: orders.lookInterval })
  process.once('exit', (status) => {
    // This process would not end before such a filesystem answers.
    if (words.isSilent) return
    try {
      directory.useAtOnce((at) => writeFileSync(join(at, `ended-${rank}-${status}`), '', { flag: 'wx', mode: 0o600 }))
    } catch {
      // The launcher has gone, or takes this rank for lost.
    }
  })
  const sayReady = async (): Promise<void> => inTime(directory, directory.leaveName(`ready-${rank}`))
  const unref = (): void => {
    words.unref()
  }
  return { orders, line: { listen: words.listen, sayReady, unref } }
}

async function readOrders(directory: PrivateDirectory, name: string): Promise<SpreadOrders> {
  const end = monotonic() + patience
  do {
    const text = await inTime(directory, readListed(directory, name))
    if (text !== undefined) return parseOrders(text, directory.path)
    await sleep(lookIntervals.starting)
  } while (monotonic() < end)
  throw new RunnerError(
    `Cannot find the orders of this rank in "${directory.path}": start spread in a directory that all hosts share`,
    { code: 'ERR_ENVIRONMENT' },
  )
}

async function readListed(directory: PrivateDirectory, name: string): Promise<string | undefined> {
  const names: readonly string[] = await directory.list().catch(() => [])
  return names.includes(name) ? await directory.read(name) : undefined
}

function parseOrders(text: string, path: string): SpreadOrders {
  const read = z.safeParse(spreadOrdersSchema, JSON.parse(text))
  if (read.success) return read.data
  throw new RunnerError(`Cannot do anything: what is in "${path}" are no orders; ${hiddenOnly}`, { code: 'ERR_USAGE' })
}

async function inTime<T>({ path }: PrivateDirectory, operation: Promise<T>): Promise<T> {
  const ms = defaults.filesystemTimeout
  const late = (): Error =>
    new RunnerError(`Cannot use "${path}": its filesystem has not answered for ${formatDuration(ms)}`, {
      code: 'ERR_TIMED_OUT',
    })
  return await withIoTimeout(operation, ms, late)
}
