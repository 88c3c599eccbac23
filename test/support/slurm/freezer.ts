import { existsSync } from 'node:fs'
import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

const freezer = '/sys/fs/cgroup/freezer'

/** Whether this machine has what Slurm's `proctrack/cgroup` needs where no systemd helps it: cgroup v1. */
export function hasFreezer(): boolean {
  return existsSync(join(freezer, 'release_agent'))
}

/** The cgroup.conf for it: without the first line, Slurm asks for a release agent and gives up. */
export const cgroupConf = 'CgroupAutomount=yes\nCgroupPlugin=cgroup/v1\n'

/** The directory of a node's cgroups. */
export function freezerOf(node: string): string {
  return join(freezer, `slurm_${node}`)
}

/** Removes what slurmd has made for a node, when nothing runs there any more. */
export async function removeFreezer(node: string): Promise<void> {
  await removeFolders(freezerOf(node))
}

async function removeFolders(path: string): Promise<void> {
  if (!existsSync(path)) return
  const entries = await readdir(path, { withFileTypes: true })
  for (const entry of entries) if (entry.isDirectory()) await removeFolders(join(path, entry.name))
  await rmdir(path)
}
