import { existsSync, realpathSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/** The repository. */
export const root = resolve(import.meta.dirname, '../../..')

/** The program under test, as it is published. */
export const program = join(root, 'dist/cli.cjs')

/** The Python that has Dask: `npm test` finds it. */
export const python = process.env.DASK_HPC_RUNNER_TEST_PYTHON ?? '/usr/bin/python3'

/** Folders that jobs need, and which the hosts' own /tmp would hide. */
export function visibleFolders(): string[] {
  const needed = [root, dirname(dirname(python)), dirname(dirname(process.execPath))]
  return [...new Set(needed)].filter((folder) => folder.startsWith('/tmp/'))
}

/**
 * Makes the directory of a cluster, which all hosts see: what Slurm needs to start, `source` with the
 * content of the shared filesystem, `shared` where each host mounts it, and `bin` with `node`,
 * `python`, `python3` and `dask-hpc-runner` for the PATH.
 */
export async function makeDirectory(hosts: readonly (readonly [name: string, address: string])[]): Promise<string> {
  // Not below /tmp, of which each host has its own.
  const base = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : '/var/tmp', 'dask-hpc-runner-slurm-'))
  try {
    for (const name of ['bin', 'etc', 'home', 'log', 'munge', 'shared', 'source', 'spool', 'state'])
      await mkdir(join(base, name))
    for (const [name] of hosts) await mkdir(join(base, 'hosts', name, 'tmp'), { recursive: true })
    await writePrograms(join(base, 'bin'))
    return base
  } catch (error) {
    await rm(base, { recursive: true, force: true })
    throw error
  }
}

async function writePrograms(bin: string): Promise<void> {
  // A copy, because it may be built anew in the meantime.
  await copyFile(program, join(bin, 'cli.cjs'))
  await chmod(join(bin, 'cli.cjs'), 0o755)
  await symlink('cli.cjs', join(bin, 'dask-hpc-runner'))
  await symlink(realpathSync(process.execPath), join(bin, 'node'))
  for (const name of ['python', 'python3'])
    await writeFile(join(bin, name), `#!/bin/sh\nexec '${python}' "$@"\n`, { mode: 0o755 })
}
