// Finds the MPI libraries and launchers of the tests, or gets them from Debian. As a program: the story
// on standard error; status 1 where they are not to be had.
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install, isExecutable, succeeds } from './debian.mjs'

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
  install('MPI', packages)
  const left = missing()
  if (left.length > 0)
    throw new Error(
      `Cannot test under MPI launchers: ${left.join(', ')} is missing; try "apt-get install ${packages.join(' ')}"`,
    )
}

function missing() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const left = programs.filter((program) => !folders.some((folder) => isExecutable(join(folder, program))))
  const hasMpi4py = succeeds('/usr/bin/python3', ['-c', 'import mpi4py'], 20_000, { quiet: true })
  return hasMpi4py ? left : [...left, 'mpi4py']
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    findMpi()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
