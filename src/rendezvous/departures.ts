import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { listDirectory } from './list.ts'

/** Name of the empty file that a process leaves which ended before it had joined: `gone-3`. */
export const departureName = /^gone-(\d+)$/

/** Leaves word in the run's directory that `rank` will not come. Never throws. */
export async function leaveDeparture(runDirectory: string, rank: number): Promise<void> {
  try {
    const handle = await open(join(runDirectory, `gone-${rank}`), 'wx', 0o600)
    await handle.close()
  } catch {
    // Process 0 then waits for this one until its own deadline.
  }
}

/** The ranks that have left word that they will not come. */
export async function readDepartures(runDirectory: string): Promise<number[]> {
  const names = await listDirectory(runDirectory).catch((): string[] => [])
  return names.flatMap((name) => departureName.exec(name)?.[1] ?? []).map(Number)
}
