import { realpathSync } from 'node:fs'
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { program, python, root } from './slurm/directory.ts'

/** Folders of the host that a runtime of containers shows by itself. */
const shown = /^\/(dev|proc|sys|tmp)(\/|$)/

/**
 * Makes the image of a container as a directory: the host's `/usr`, and `python`, `node` and `dask-hpc-runner` in a
 * folder `/opt/dask/bin` that the host has not. For the program `apptainer` of fixtures/containers.
 */
export async function makeImage(image: string): Promise<void> {
  const needed = [root, dirname(dirname(python)), dirname(dirname(process.execPath))]
  const folders = ['/usr', ...new Set(needed.filter((path) => !shown.test(path) && !path.startsWith('/usr')))]
  const own = ['dev', 'etc', 'home', 'mnt', 'opt/dask/bin', 'proc', 'root', 'sys', 'tmp', '.singularity.d/env']
  for (const folder of [...own, ...folders]) await mkdir(join(image, folder), { recursive: true })
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) await symlink(`usr/${name}`, join(image, name))
  for (const name of ['group', 'hosts', 'passwd', 'resolv.conf']) await writeFile(join(image, 'etc', name), '')
  await writeFile(join(image, '.from-host'), folders.map((folder) => `${folder}\n`).join(''))
  await writeFile(join(image, '.singularity.d/env/90-environment.sh'), 'export PATH=/opt/dask/bin:$PATH IN_IMAGE=yes\n')
  const bin = join(image, 'opt/dask/bin')
  await symlink(realpathSync(process.execPath), join(bin, 'node'))
  await copyFile(program, join(bin, 'dask-hpc-runner'))
  await chmod(join(bin, 'dask-hpc-runner'), 0o755)
  for (const name of ['python', 'python3'])
    await writeFile(join(bin, name), `#!/bin/sh\nexec '${python}' "$@"\n`, { mode: 0o755 })
}
