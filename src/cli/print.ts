import { fstatSync, writeFileSync } from 'node:fs'
import { errnoOf, messageOf, RunnerError } from '../errors.ts'
import { printable, printableLines } from '../util/printable.ts'
import { untilAborted } from '../util/wait.ts'

/** Tells the user something, on standard error. */
export function say(text: string): void {
  process.stderr.write(`dask-hpc-runner: ${printable(text)}\n`)
}

/**
 * Writes to standard output. What would move a terminal's cursor is escaped: hosts, paths and records are of others.
 *
 * @param signal ends the wait for a reader that reads no further
 * @returns false where whoever read it has seen enough and is gone.
 * @throws RunnerError ERR_CANNOT_PRINT where not all of it can be written, or the signal's reason.
 */
export async function print(text: string, signal?: AbortSignal): Promise<boolean> {
  return await draw(printableLines(text), signal)
}

/** {@link print} for a text that moves the cursor itself, and in which all that is of others is printable. */
export async function draw(text: string, signal?: AbortSignal): Promise<boolean> {
  try {
    // Node's stream takes the part of a text that a full disk has had room for as the whole.
    if (fstatSync(1).isFile()) writeFileSync(1, text)
    else await (signal === undefined ? writeToStream(text) : untilAborted(writeToStream(text), signal))
    return true
  } catch (error) {
    signal?.throwIfAborted()
    if (errnoOf(error) === 'EPIPE') return false
    throw new RunnerError(`Cannot write to standard output: ${messageOf(error)}`, {
      code: 'ERR_CANNOT_PRINT',
      cause: error,
    })
  }
}

async function writeToStream(text: string): Promise<void> {
  const { stdout } = process
  await new Promise<void>((resolve, reject) => {
    // What the callback is told of comes as an event too, which would end this process.
    stdout.once('error', reject)
    stdout.write(text, (error) => {
      if (error) reject(error)
      else {
        stdout.off('error', reject)
        resolve()
      }
    })
  })
}
