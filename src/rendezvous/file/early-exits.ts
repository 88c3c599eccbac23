import type { PrivateDirectory } from '../../filesystem/private-directory.ts'
import type { Failure } from '../../record/outcome-record.ts'
import { earlyExitSchema, parseAs } from '../../record/schemas.ts'
import type { EarlyExit } from '../rendezvous.ts'
import { exitedName, exitedPattern } from './names.ts'

/** Leaves word in the run's directory that `rank` will not come, and why. Never throws. */
export async function leaveEarlyExit(
  directory: PrivateDirectory,
  { rank, failure }: Pick<EarlyExit, 'rank' | 'failure'>,
): Promise<void> {
  const name = exitedName(rank)
  try {
    // On a full disk an empty file says what matters most.
    await directory
      .put(name, JSON.stringify({ version: 1, rank, failure }))
      .catch(async () => directory.leaveName(name))
  } catch {
    // Rank 0 then waits for this one until its own deadline.
  }
}

/** The processes that, by the `names` in the run's directory, have left word that they will not come. Never throws. */
export async function readEarlyExits(
  directory: PrivateDirectory,
  names: readonly string[],
): Promise<readonly EarlyExit[]> {
  return await Promise.all(
    names.flatMap((name) => {
      const [, rank] = exitedPattern.exec(name) ?? []
      return rank === undefined ? [] : [readEarlyExit(directory, Number(rank))]
    }),
  )
}

async function readEarlyExit(directory: PrivateDirectory, rank: number): Promise<EarlyExit> {
  const text = (await directory.read(exitedName(rank)).catch(() => undefined)) ?? ''
  return { rank, failure: parseEarlyExit(text)?.failure }
}

/** What a process has left word of, or undefined where `text` is none. */
export function parseEarlyExit(text: string): { readonly failure?: Failure | undefined } | undefined {
  return parseAs(earlyExitSchema, text)
}
