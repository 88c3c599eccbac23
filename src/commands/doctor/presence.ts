import type { PrivateDirectory } from '../../filesystem/private-directory.ts'

/** Name of the empty file that says that a process of a host has been here: `here-3.node1`. */
export const presenceName = /^here-(\d+)\.(.+)$/

/** Leaves word in the directory of an examination that this process has come. Never throws. */
export async function leavePresence(
  directory: PrivateDirectory,
  { rank, node }: { readonly rank: number; readonly node: string },
): Promise<void> {
  try {
    await directory.leaveName(`here-${rank}.${node.replace(/[^A-Za-z0-9._-]/g, '_')}`)
  } catch {
    // A full disk, perhaps: that is a finding of its own.
  }
}
