import { fstatSync, writeFileSync } from 'node:fs'
import { errnoOf, messageOf, RunnerError } from '../errors.ts'
import { printableLines } from '../util/printable.ts'

/**
 * Writes to standard output. What would move a terminal's cursor is escaped: hosts, paths and records are of others.
 *
 * @returns false where whoever read it has seen enough and is gone.
 * @throws RunnerError ERR_CANNOT_PRINT where not all of it can be written.
 */
export async function print(text: string): Promise<boolean> {
  return await draw(printableLines(text))
}

/** {@link print} for a text that moves the cursor itself, and in which all that is of others is printable. */
export async function draw(text: string): Promise<boolean> {
  try {
    // Node's stream takes the part of a text that a full disk has had room for as the whole.
    if (fstatSync(1).isFile()) writeFileSync(1, text)
    else await writeToStream(text)
    return true
  } catch (error) {
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
