// Finds what a Slurm of several hosts on this machine needs, or gets it from Debian. As a program: the
// story on standard error; status 1 where such a Slurm cannot run here.
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install, isExecutable, succeeds } from './debian.mjs'

const packages = ['slurm-wlm', 'munge', 'bindfs', 'iproute2', 'charliecloud-runtime']
const programs = ['slurmctld', 'slurmd', 'srun', 'munged', 'bindfs', 'ip', 'ch-run']

/**
 * Makes sure that a Slurm of several hosts can run here: as root, in namespaces, with Debian's packages.
 *
 * @throws Error where it cannot, with the reason and what to do
 */
export function findSlurm() {
  if (process.platform !== 'linux') throw new Error('Cannot run Slurm here: this is not Linux')
  if (process.getuid?.() !== 0) throw new Error('Cannot run Slurm here: only root can make namespaces for its hosts')
  const namespaces = ['--fork', '--pid', '--mount-proc', '--mount', '--uts', '--net', '--ipc', 'true']
  if (!succeeds('unshare', namespaces, 10_000))
    throw new Error('Cannot run Slurm here: this machine grants no namespaces (a container needs --privileged)')
  if (missing().length === 0) return
  install('Slurm', packages)
  const left = missing()
  if (left.length > 0)
    throw new Error(
      `Cannot run Slurm here: ${left.join(', ')} could not be installed; try "apt-get install ${packages.join(' ')}"`,
    )
}

function missing() {
  // Not everybody's PATH has the folders of Debian's daemons.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return programs.filter((program) => !folders.some((folder) => isExecutable(join(folder, program))))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    findSlurm()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
