import { defaults } from '../defaults.ts'
import { RunnerError } from '../errors.ts'
import type { PrivateDirectory } from '../filesystem/private-directory.ts'
import { isLocalFilesystem } from './local-filesystem.ts'

/** Name of the empty file that says that a process of a node has been here: `here-3.node1`. */
export const presenceName = /^here-(\d+)\.(.+)$/

/** A process of the run, and the node it is on. */
export interface Present {
  readonly rank: number
  /** Name of the node as the workload manager has it. */
  readonly node: string
}

/** Leaves word in the run's directory that this process has come. Never throws. */
export async function leavePresence(runDirectory: PrivateDirectory, { rank, node }: Present): Promise<void> {
  try {
    await runDirectory.leaveName(`here-${rank}.${word(node)}`)
  } catch {
    // A full disk, perhaps: process 0 will say so.
  }
}

/** The ranks that have left such word. Never throws. */
export async function readPresences(runDirectory: PrivateDirectory): Promise<number[]> {
  const names = await runDirectory.list().catch((): string[] => [])
  return names.flatMap((name) => {
    const [, rank] = presenceName.exec(name) ?? []
    return rank === undefined ? [] : [Number(rank)]
  })
}

/** Whether the listing `names` of a run's directory shows processes of `node` only. */
export function showsOnly(node: string, names: readonly string[]): boolean {
  const nodes = names.flatMap((name) => presenceName.exec(name)?.[2] ?? [])
  return nodes.every((other) => other === word(node))
}

/**
 * The error of a process that has been alone for long in a directory of its own node's, or undefined
 * where the directory may be shared. A late process or a local filesystem alone is no proof.
 */
export async function lonelyError(
  runDirectory: PrivateDirectory,
  node: string,
  names?: readonly string[],
): Promise<RunnerError | undefined> {
  const seen = names ?? (await runDirectory.list().catch(() => undefined))
  if (seen === undefined || !showsOnly(node, seen) || !(await isLocalFilesystem(runDirectory.path))) return undefined
  return new RunnerError(
    `Cannot meet the processes of other nodes in "${runDirectory.path}": it is on a local filesystem of ${node}, and in ` +
      `${defaults.lonelyAfter / 1000} s none of them has come there; name a scheduler file in a directory that all nodes share`,
    { code: 'ERR_CANNOT_PUBLISH' },
  )
}

function word(node: string): string {
  return node.replace(/[^A-Za-z0-9._-]/g, '_')
}
