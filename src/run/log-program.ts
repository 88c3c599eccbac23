import { join } from 'node:path'
import * as z from 'zod/mini'
import { RunnerError } from '../errors.ts'
import { makeDirectories } from '../filesystem/make-directories.ts'
import { RotatingFile } from '../filesystem/rotating-file.ts'
import { formatSystemError } from '../filesystem/system-error.ts'
import { parseMessage } from '../process/messages.ts'
import { forEachLine } from '../process/output.ts'
import { foreignHandOnNames } from '../util/foreign-hand.ts'
import { hiddenOnly } from '../util/own-commands.ts'
import { foreignHandAdvice } from '../util/temporary-place.ts'

/** The first line of standard input. After it come the lines for the files: the number of the file, and the text. */
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
 * @throws RunnerError ERR_USAGE where something else comes than such lines.
 */
export async function keepLogs(input: NodeJS.ReadStream = process.stdin): Promise<void> {
  const writer = await new Promise<LogWriter>((resolve, reject) => {
    let made: LogWriter | undefined
    forEachLine(input, (line) => {
      if (made !== undefined) {
        made.take(line)
        return
      }
      const orders = parseMessage(logOrdersSchema, line)
      if (orders === undefined) {
        reject(notOrders('what came on standard input are no orders'))
        input.destroy()
        return
      }
      made = new LogWriter(orders)
      // What comes meanwhile waits in the pipe.
      input.pause()
      void made.prepare().then(() => input.resume())
    })
    input.once('end', () => {
      if (made === undefined) reject(notOrders('no orders came on standard input'))
    })
    input.once('close', () => {
      if (made !== undefined) resolve(made)
    })
  })
  writer.close()
}

function notOrders(why: string): RunnerError {
  return new RunnerError(`Cannot do anything: ${why}; ${hiddenOnly}`, { code: 'ERR_USAGE' })
}

class LogWriter {
  readonly #directory: string
  readonly #files: readonly RotatingFile[]
  #state: 'preparing' | 'ready' | 'refused' = 'preparing'
  #hasComplained = false
  /** What came with the orders, before the directory was looked at. */
  readonly #early: string[] = []

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
      this.#state = 'ready'
    } catch (error) {
      this.#state = 'refused'
      this.#complain(error)
    }
    for (const line of this.#early.splice(0)) this.take(line)
  }

  take(line: string): void {
    if (this.#state === 'preparing') this.#early.push(line)
    if (this.#state !== 'ready') return
    const end = line.indexOf(' ')
    try {
      this.#files[Number(line.slice(0, end))]?.add(line.slice(end + 1))
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
