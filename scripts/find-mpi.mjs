// Finds the MPI libraries and launchers of the tests, or gets them from Debian. As a program: the story
// on standard error; status 1 where they are not to be had.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = ['openmpi-bin', 'mpich', 'python3-mpi4py']
const programs = ['mpirun.openmpi', 'mpiexec.hydra']

/**
 * Makes sure that Open MPI and MPICH are here, side by side as Debian has them, with mpi4py for tests
 * whose programs use MPI themselves.
 *
 * @throws Error where they are not, with the reason and what to do
 */
export function findMpi() {
  if (missing().length === 0) return
  if (process.getuid?.() === 0 && isExecutable('/usr/bin/apt-get')) install()
  const left = missing()
  if (left.length > 0)
    throw new Error(
      `Cannot test under MPI launchers: ${left.join(', ')} is missing; try "apt-get install ${packages.join(' ')}"`,
    )
}

function missing() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const left = programs.filter((program) => !folders.some((folder) => isExecutable(join(folder, program))))
  return run('/usr/bin/python3', ['-c', 'import mpi4py'], 20_000) ? left : [...left, 'mpi4py']
}

function install() {
  process.stderr.write(`MPI: trying the Debian packages ${packages.join(', ')}\n`)
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
  const result = spawnSync(command, args, {
    cwd: '/',
    env,
    stdio: ['ignore', 2, 'ignore'],
    timeout,
    killSignal: 'SIGKILL',
  })
  return result.status === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    findMpi()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
