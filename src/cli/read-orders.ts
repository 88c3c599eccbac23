import * as z from 'zod/mini'
import { RunnerError } from '../errors.ts'
import { hiddenOnly } from '../util/hidden-commands.ts'
import { deadline } from '../util/wait.ts'

/** Whoever starts such a process writes the orders at once. In milliseconds. */
const ordersMs = 60_000

/** No orders are longer. In characters. */
const longestOrders = 8_000_000

/**
 * The orders of a process that this program has started for itself: the first line of standard input, which stays open.
 *
 * @throws RunnerError ERR_USAGE where that is something else.
 */
export async function readOrders<T>(schema: z.ZodMiniType<T>): Promise<T> {
  const line = await deadline(firstLine(), ordersMs, () => notOrders('nothing came on standard input'))
  try {
    return z.parse(schema, JSON.parse(line))
  } catch {
    throw notOrders('what came on standard input are no orders')
  }
}

async function firstLine(): Promise<string> {
  const { stdin } = process
  stdin.setEncoding('utf8')
  return await new Promise((resolve, reject) => {
    let text = ''
    const stop = (): void => {
      stdin.off('data', read)
      stdin.off('end', end)
    }
    const read = (chunk: string): void => {
      text += chunk
      const end = text.indexOf('\n')
      if (end === -1 && text.length < longestOrders) return
      stop()
      resolve(text.slice(0, end))
    }
    const end = (): void => {
      stop()
      reject(notOrders('no orders came on standard input'))
    }
    stdin.on('data', read)
    stdin.once('end', end)
    stdin.once('error', end)
  })
}

function notOrders(why: string): RunnerError {
  return new RunnerError(`Cannot do anything: ${why}; ${hiddenOnly}`, { code: 'ERR_USAGE' })
}
