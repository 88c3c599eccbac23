// Finds what a Slurm of several hosts on this machine needs, or gets it from Debian. As a program: the
// story on standard error; status 1 where such a Slurm cannot run here.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = ['slurm-wlm', 'munge', 'bindfs', 'iproute2']
const programs = ['slurmctld', 'slurmd', 'srun', 'munged', 'bindfs', 'ip']

/**
 * Makes sure that a Slurm of several hosts can run here: as root, in namespaces, with Debian's packages.
 *
 * @throws Error where it cannot, with the reason and what to do
 */
export function findSlurm() {
  if (process.platform !== 'linux') throw new Error('Cannot run Slurm here: this is not Linux')
  if (process.getuid?.() !== 0) throw new Error('Cannot run Slurm here: only root can make namespaces for its hosts')
  const namespaces = ['--fork', '--pid', '--mount-proc', '--mount', '--uts', '--net', '--ipc', 'true']
  if (!run('unshare', namespaces, 10_000))
    throw new Error('Cannot run Slurm here: this machine grants no namespaces (a container needs --privileged)')
  if (missing().length === 0) return
  install()
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

function install() {
  if (!isExecutable('/usr/bin/apt-get')) return
  process.stderr.write(`Slurm: trying the Debian packages ${packages.join(', ')}\n`)
  const arguments_ = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
  // A fresh container has no package lists, and old lists name packages that are gone.
  if (run('apt-get', arguments_, 600_000)) return
  run('apt-get', ['update', '-qq'], 300_000)
  run('apt-get', arguments_, 600_000)
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} timeout in milliseconds
 */
function run(command, args, timeout) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const result = spawnSync(command, args, { env, stdio: ['ignore', 2, 2], timeout, killSignal: 'SIGKILL' })
  return result.status === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    findSlurm()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
