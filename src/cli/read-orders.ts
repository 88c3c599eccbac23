import type { Readable } from 'node:stream'
import * as z from 'zod/mini'
import { RunnerError } from '../errors.ts'
import { hiddenOnly } from '../util/own-commands.ts'
import { deadline } from '../util/wait.ts'

/** Whoever starts such a process writes the orders at once. In milliseconds. */
const ordersMs = 60_000

/** No orders are longer. In characters. */
const longestOrders = 8_000_000

/**
 * The orders of a process that this program has started for itself: the first line of `stream`, which stays open. What
 * follows it is left there.
 *
 * @throws RunnerError ERR_USAGE where that is something else.
 */
export async function readOrders<T>(schema: z.ZodMiniType<T>, stream: Readable = process.stdin): Promise<T> {
  const line = await deadline(firstLine(stream), ordersMs, () => notOrders('nothing came on standard input'))
  try {
    return z.parse(schema, JSON.parse(line))
  } catch {
    throw notOrders('what came on standard input are no orders')
  }
}

async function firstLine(stream: Readable): Promise<string> {
  stream.setEncoding('utf8')
  return await new Promise((resolve, reject) => {
    let text = ''
    const stop = (): void => {
      stream.off('data', read)
      stream.off('end', end)
      stream.pause()
    }
    const read = (chunk: string): void => {
      text += chunk
      const end = text.indexOf('\n')
      if (end === -1 && text.length < longestOrders) return
      stop()
      if (end !== -1 && end + 1 < text.length) stream.unshift(text.slice(end + 1), 'utf8')
      resolve(text.slice(0, end))
    }
    const end = (): void => {
      stop()
      reject(notOrders('no orders came on standard input'))
    }
    stream.on('data', read)
    stream.once('end', end)
    stream.once('error', end)
  })
}

function notOrders(why: string): RunnerError {
  return new RunnerError(`Cannot do anything: ${why}; ${hiddenOnly}`, { code: 'ERR_USAGE' })
}
