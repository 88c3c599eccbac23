import { existsSync } from 'node:fs'
import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

const root = '/sys/fs/cgroup'
const freezer = join(root, 'freezer')

/** Whether this machine has what Slurm's control groups need where no systemd helps it: cgroup v1. */
export function hasFreezer(): boolean {
  return existsSync(join(freezer, 'release_agent'))
}

/** The cgroup.conf for it: without the first line, Slurm asks for a release agent and gives up. */
export function cgroupConf(constrainMemory: boolean): string {
  const base = 'CgroupAutomount=yes\nCgroupPlugin=cgroup/v1\n'
  return constrainMemory ? `${base}ConstrainRAMSpace=yes\n` : base
}

/** The directory of the control groups by which Slurm knows a node's processes. */
export function freezerOf(node: string): string {
  return join(freezer, `slurm_${node}`)
}

/** Removes what was made for a node, when nothing runs there any more. */
export async function removeCgroups(node: string, prefix: 'slurm' | 'oar' = 'slurm'): Promise<void> {
  for (const controller of await readdir(root)) await removeFolders(join(root, controller, `${prefix}_${node}`))
}

async function removeFolders(path: string): Promise<void> {
  if (!existsSync(path)) return
  const entries = await readdir(path, { withFileTypes: true })
  for (const entry of entries) if (entry.isDirectory()) await removeFolders(join(path, entry.name))
  await rmdir(path)
}
