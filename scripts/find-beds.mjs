// Finds what the workload managers need of which tests start real ones on this machine, and the MPI launchers, or gets it from Debian.
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { install, isExecutable, succeeds } from './debian.mjs'

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
  const packages = ['slurm-wlm', 'munge', 'bindfs', 'iproute2', 'charliecloud-runtime']
  need('Slurm', packages, () => missing('slurmctld', 'slurmd', 'srun', 'munged', 'bindfs', 'ip', 'ch-run'))
}

/** The same for a Grid Engine, which needs more than Slurm does. */
export function findGridEngine() {
  findSlurm()
  const packages = ['gridengine-master', 'gridengine-exec', 'gridengine-client']
  const left = () => missing('sge_qmaster', 'sge_execd', 'qsub', 'qrsh')
  // The packages are to make no cell of this machine, and to start no daemons: each test has its own.
  if (left().length > 0 && process.getuid?.() === 0 && isExecutable('/usr/bin/debconf-set-selections')) {
    const answers = ['gridengine-common', ...packages].map((name) => `${name} shared/gridengineconfig boolean false\n`)
    spawnSync('debconf-set-selections', { input: answers.join(''), stdio: ['pipe', 2, 2] })
    const defaults = '/etc/default/gridengine'
    if (!existsSync(defaults)) writeFileSync(defaults, 'SGE_START_MASTERD=no\nSGE_START_EXECD=no\n')
  }
  need('Grid Engine', packages, left)
}

/** The same for an OAR, which needs control groups of version 1 besides: OAR 2.5 knows its jobs by them. */
export function findOar() {
  findSlurm()
  if (!existsSync('/sys/fs/cgroup/cpuset/tasks'))
    throw new Error('Cannot run OAR here: this machine has no control groups of version 1')
  const ofOar = ['oar-server', 'oar-server-pgsql', 'oar-node', 'oar-user', 'oar-user-pgsql']
  const left = () => missing('Almighty', 'oarsub', 'oarsh', 'sshd', 'psql')
  need('OAR', [...ofOar, 'openssh-server', 'postgresql'], left)
}

/** Makes sure that Open MPI and MPICH are here, side by side as Debian has them, with mpi4py for programs that use MPI themselves. */
export function findMpi() {
  need('MPI', ['openmpi-bin', 'mpich', 'python3-mpi4py'], () => {
    const hasMpi4py = succeeds('/usr/bin/python3', ['-c', 'import mpi4py'], 20_000, { quiet: true })
    return [...missing('mpirun.openmpi', 'mpiexec.hydra'), ...(hasMpi4py ? [] : ['mpi4py'])]
  })
}

/**
 * Installs packages of Debian where something is missing.
 *
 * @param {string} what
 * @param {readonly string[]} packages
 * @param {() => readonly string[]} missing
 * @throws Error where something is missing all the same
 */
function need(what, packages, missing) {
  if (missing().length === 0) return
  install(what, packages)
  const left = missing()
  if (left.length === 0) return
  const advice = `try "apt-get install ${packages.join(' ')}"`
  throw new Error(`Cannot run ${what} here: ${left.join(', ')} could not be installed; ${advice}`)
}

/**
 * Which of these programs are not here.
 *
 * @param {...string} programs
 */
function missing(...programs) {
  // Not everybody's PATH has the folders of Debian's daemons.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return programs.filter((program) => !folders.some((folder) => isExecutable(join(folder, program))))
}
