import { join } from 'node:path'
import * as z from 'zod/mini'
import { RunnerError } from '../errors.ts'
import { makeDirectories } from '../filesystem/make-directories.ts'
import { RotatingFile } from '../filesystem/rotating-file.ts'
import { formatSystemError } from '../filesystem/system-error.ts'
import { parseMessage } from '../process/messages.ts'
import { foreignHandOnNames } from '../util/foreign-hand.ts'
import { hiddenOnly } from '../util/own-commands.ts'
import { foreignHandAdvice } from '../util/temporary-place.ts'
import { type LogFrame, readFrame } from './log-frame.ts'

/** The first line of standard input. After it come frames: see log-frame.ts. */
const logOrdersSchema = z.object({
  directory: z.string(),
  /** Names of the files. */
  files: z.array(z.string()),
  /** Of a file with the one before it, in bytes. */
  limit: z.number(),
})
export type LogOrders = z.infer<typeof logOrdersSchema>

/**
 * Keeps the log files of a process of the run, in a process of its own: a filesystem that hangs then holds up nothing of the
 * run. It ends with its standard input. What goes wrong first is written to standard output.
 *
 * @throws RunnerError ERR_USAGE where something else comes than orders.
 */
export async function keepLogs(input: NodeJS.ReadStream = process.stdin): Promise<void> {
  let writer: LogWriter | undefined
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of input) {
    rest = Buffer.concat([rest, chunk as Buffer])
    const end = rest.indexOf('\n')
    if (writer === undefined && end !== -1) {
      writer = await openWriter(rest.toString('utf8', 0, end))
      rest = rest.subarray(end + 1)
    }
    if (writer !== undefined) rest = writer.take(rest)
  }
  writer ??= await openWriter(rest.toString())
  writer.close()
}

async function openWriter(line: string): Promise<LogWriter> {
  if (line === '') throw notOrders('no orders came on standard input')
  const orders = parseMessage(logOrdersSchema, line)
  if (orders === undefined) throw notOrders('what came on standard input are no orders')
  const writer = new LogWriter(orders)
  await writer.prepare()
  return writer
}

function notOrders(why: string): RunnerError {
  return new RunnerError(`Cannot do anything: ${why}; ${hiddenOnly}`, { code: 'ERR_USAGE' })
}

class LogWriter {
  readonly #directory: string
  readonly #files: readonly RotatingFile[]
  #isRefused = false
  #hasComplained = false

  constructor({ directory, files, limit }: LogOrders) {
    this.#directory = directory
    this.#files = files.map((name) => new RotatingFile(join(directory, name), limit))
  }

  /** Makes the directory, unless somebody else could put his own files in the place of ours there. */
  async prepare(): Promise<void> {
    try {
      // Nothing is made where it would be refused; and what is made may still be open to others, where its filesystem has it so.
      const before = await foreignHandOnNames(this.#directory, { mayBeMissing: true })
      if (before === undefined) await makeDirectories(this.#directory, 0o700)
      const hand = before ?? (await foreignHandOnNames(this.#directory))
      if (hand !== undefined) throw new Error(foreignHandAdvice(hand))
    } catch (error) {
      this.#isRefused = true
      this.#complain(error)
    }
  }

  /** Writes the frames that have come whole, and gives what has come of the next one. */
  take(bytes: Buffer): Buffer {
    let rest = bytes
    for (let read = readFrame(rest); read !== undefined; read = readFrame(rest)) {
      if (!this.#isRefused) this.#write(read.frame)
      rest = read.rest
    }
    return rest
  }

  #write({ file, lines }: LogFrame): void {
    try {
      this.#files[file]?.add(lines)
    } catch (error) {
      this.#complain(error)
    }
  }

  close(): void {
    for (const file of this.#files) file.close()
  }

  #complain(error: unknown): void {
    if (this.#hasComplained) return
    this.#hasComplained = true
    process.stdout.write(`${formatSystemError(error)}\n`)
  }
}
