import { open } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { type Failure, failureSchema } from '../record/outcome-record.ts'
import { departureName } from './names.ts'
import { publishFile } from './publish.ts'
import { readIfThere } from './run-directory.ts'

/** A process that ended before it had joined its run. */
export interface Departure {
  readonly rank: number
  /** Why, where it could still say so. */
  readonly failure?: Failure
  /** It has left no word: its host does not answer, and may still hold what the run has there. */
  readonly silent?: boolean
}

/** Leaves word in the run's directory that `rank` will not come, and why. Never throws. */
export async function leaveDeparture(runDirectory: string, rank: number, failure?: Failure): Promise<void> {
  const path = join(runDirectory, `gone-${rank}`)
  try {
    if (failure === undefined) await leaveEmpty(path)
    else await publishFile(path, JSON.stringify(failure)).catch(async () => await leaveEmpty(path))
  } catch {
    // Process 0 then waits for this one until its own deadline.
  }
}

/** The processes that, by the `names` in the run's directory, have left word that they will not come. Never throws. */
export async function readDepartures(runDirectory: string, names: readonly string[]): Promise<Departure[]> {
  return await Promise.all(
    names.flatMap((name) => {
      const [, rank] = departureName.exec(name) ?? []
      return rank === undefined ? [] : [readDeparture(join(runDirectory, name), Number(rank))]
    }),
  )
}

async function readDeparture(path: string, rank: number): Promise<Departure> {
  try {
    const parsed = z.safeParse(failureSchema, JSON.parse((await readIfThere(path)) ?? ''))
    return parsed.success ? { rank, failure: parsed.data } : { rank }
  } catch {
    return { rank }
  }
}

async function leaveEmpty(path: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  await handle.close()
}
