import type { Bed } from './bed.ts'
import type { FilesystemName, LauncherName, Versions } from './cell.ts'

const question = 'import platform, distributed; print("Version", platform.python_version(), distributed.__version__)'

/** What says the version of a launcher, and where it stands. */
const launchers: Readonly<Record<Exclude<LauncherName, 'local'>, readonly [command: string, title: string]>> = {
  slurm: ['srun', 'Slurm'],
  openmpi: ['mpirun.openmpi', 'Open MPI'],
  mpich: ['mpiexec.hydra', 'MPICH'],
}

/** Asks what a bed really has. */
export async function askVersions(
  bed: Bed,
  { launcher, filesystem }: { launcher: LauncherName; filesystem: FilesystemName },
): Promise<Versions> {
  const [, python = '?', dask = '?'] =
    /^Version (\S+) (\S+)$/m.exec(await bed.outputOf('python3', '-c', question)) ?? []
  // On a host that runs jobs: the one that submits them may serve the filesystem. Of several mounts on one place, the last one is seen.
  const host = launcher === 'slurm' ? ['srun', '--nodes=1', '--ntasks=1'] : []
  const kinds = await bed.outputOf(...host, 'findmnt', '--noheadings', '--output', 'FSTYPE', '--target', '.')
  const kind = kinds.split('\n').at(-1) ?? '?'
  return {
    python,
    dask,
    node: process.version.slice(1),
    launcher: launcher === 'local' ? 'one machine' : await launcherVersion(bed, launchers[launcher]),
    filesystem: filesystem === 'cached' ? `${kind}, caches 4 s` : kind,
  }
}

async function launcherVersion(bed: Bed, [command, title]: readonly [string, string]): Promise<string> {
  const said = await bed.outputOf(command, '--version')
  return `${title} ${/\b\d+\.\d[\w.]*/.exec(said)?.[0] ?? '?'}`
}
