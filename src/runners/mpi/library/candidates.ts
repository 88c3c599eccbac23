import { join } from 'node:path'
import type { Environment } from '../../../identity/environment.ts'

/** Names of the libraries of each family, the usual one first. */
const names = {
  linux: {
    openMpi: ['libmpi.so.40', 'libmpi.so.80'],
    mpich: ['libmpi.so.12', 'libmpich.so.12'],
    others: ['libmpi_abi.so.1', 'libmpi_abi.so.0', 'libmpi_cray.so.12', 'libmpi.so'],
  },
  darwin: {
    openMpi: ['libmpi.40.dylib'],
    mpich: ['libmpi.12.dylib', 'libmpich.12.dylib'],
    others: ['libmpi_abi.1.dylib', 'libmpi_abi.0.dylib', 'libmpi.dylib'],
  },
} as const

/** Where environments say that an installation is, and where its libraries are in it. */
const installations = [
  ['OPAL_PREFIX', 'lib'],
  ['I_MPI_ROOT', 'lib/release'],
  ['I_MPI_ROOT', 'lib'],
  ['MPICH_DIR', 'lib-abi-mpich'],
  ['MPICH_DIR', 'lib'],
  ['MPI_HOME', 'lib'],
  ['MPI_ROOT', 'lib'],
] as const

/**
 * The MPI libraries to try, in order: those of the family whose launcher has left its variables
 * first, and each first in the installations that the environment names, then on the loader's path.
 */
export function libraryCandidates(env: Environment, platform: NodeJS.Platform = process.platform): string[] {
  const { openMpi, mpich, others } = platform === 'darwin' ? names.darwin : names.linux
  const isOpenMpi = env.OMPI_COMM_WORLD_RANK !== undefined || env.PMIX_RANK !== undefined
  const isMpich = !isOpenMpi && Object.keys(env).some((name) => /^(PMI_|PALS_|MPI_LOCAL)/.test(name))
  const inOrder = isMpich ? [...mpich, ...others, ...openMpi] : [...openMpi, ...others, ...mpich]
  const folders = installations.flatMap(([variable, folder]) => {
    const root = env[variable]
    return root === undefined || root === '' ? [] : [join(root, folder)]
  })
  return [...folders.flatMap((folder) => inOrder.map((name) => join(folder, name))), ...inOrder]
}
