import * as z from 'zod/mini'
import type { PrivateDirectory } from '../filesystem/private-directory.ts'
import type { Failure } from '../record/outcome-record.ts'
import { departureName } from './names.ts'
import { failureSchema } from '../record/schemas.ts'

/** A process that ended before it had joined its run. */
export interface Departure {
  readonly rank: number
  /** Why, where it could still say so. */
  readonly failure?: Failure
  /** It has left no word: its host does not answer, and may still hold what the run has there. */
  readonly silent?: boolean
}

/** Leaves word in the run's directory that `rank` will not come, and why. Never throws. */
export async function leaveDeparture(runDirectory: PrivateDirectory, rank: number, failure?: Failure): Promise<void> {
  const name = `gone-${rank}`
  const leaveName = async (): Promise<void> => {
    await runDirectory.leaveName(name)
  }
  try {
    if (failure === undefined) await leaveName()
    else await runDirectory.put(name, JSON.stringify(failure)).catch(leaveName)
  } catch {
    // Process 0 then waits for this one until its own deadline.
  }
}

/** The processes that, by the `names` in the run's directory, have left word that they will not come. Never throws. */
export async function readDepartures(runDirectory: PrivateDirectory, names: readonly string[]): Promise<Departure[]> {
  return await Promise.all(
    names.flatMap((name) => {
      const [, rank] = departureName.exec(name) ?? []
      return rank === undefined ? [] : [readDeparture(runDirectory, name, Number(rank))]
    }),
  )
}

async function readDeparture(runDirectory: PrivateDirectory, name: string, rank: number): Promise<Departure> {
  const failure = parseDeparture((await runDirectory.read(name).catch(() => undefined)) ?? '')
  return failure === undefined ? { rank } : { rank, failure }
}

/** The failure that a process has left word of, or undefined where `text` is none. */
export function parseDeparture(text: string): Failure | undefined {
  try {
    const parsed = z.safeParse(failureSchema, JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
