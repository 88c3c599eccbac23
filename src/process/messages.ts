import type { Readable } from 'node:stream'
import * as z from 'zod/mini'
import { forEachLine } from './output.ts'

/**
 * Calls `onMessage` with each line of `stream` that is JSON of this schema. Something else may write there
 * too, such as a task that takes the file descriptor for its own: that is ignored.
 *
 * @param onOther called once, when such a line has come
 */
export function forEachMessage<T>(
  stream: Readable,
  schema: z.ZodMiniType<T>,
  onMessage: (message: T) => void,
  onOther: () => void = () => undefined,
): void {
  let hasOther = false
  forEachLine(stream, (line) => {
    const message = parseMessage(schema, line)
    if (message !== undefined) onMessage(message)
    else if (line !== '' && !hasOther) {
      hasOther = true
      onOther()
    }
  })
}

/** The message that a line is; undefined where it is none of this schema. */
export function parseMessage<T>(schema: z.ZodMiniType<T>, line: string): T | undefined {
  try {
    return z.safeParse(schema, JSON.parse(line)).data
  } catch {
    return undefined
  }
}
