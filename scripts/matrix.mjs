// npm run matrix: the program on each Dask, Python, Slurm, MPI, Node and filesystem that can be had here. See its --help.
import { install, isExecutable } from './debian.mjs'
import { build } from './build.mjs'
import { findDask } from './find-dask.mjs'
import { findMpi, findSlurm } from './find-beds.mjs'
import { findNode } from './find-node.mjs'
import { findPython } from './find-python.mjs'
import { loadTypeScript } from './load-typescript.mjs'
import { mountSystem, unpackDebian, writePython } from './unpack-debian.mjs'

/** What every cell of another Debian may need; Node 26 wants libatomic1. debootstrap looks for what these need themselves. */
const packages = ['python3-distributed', 'slurm-wlm', 'munge', 'openmpi-bin', 'mpich', 'iproute2', 'libatomic1']

/** The Linux that is a program, and an NFS. */
const guestPackages = ['user-mode-linux', 'kmod', 'nfs-kernel-server']

/** @type {import('../test/support/matrix/cell.ts').Machine} */
const machine = {
  dask: findDask,
  slurm: findSlurm,
  mpi: findMpi,
  node: findNode,
  debian: (suite) =>
    unpackDebian({ title: `Debian ${suite}`, suite, name: `matrix-${suite}`, packages: packages.join(',') }),
  guest: () =>
    unpackDebian({
      title: 'Debian sid',
      suite: 'sid',
      name: 'matrix-sid-nfs',
      packages: [...packages, ...guestPackages].join(','),
    }),
  pythonOf: writePython,
  python: findPython,
  mount: mountSystem,
  program: (name, debianPackage) => {
    if (!isExecutable(name)) install(name, [debianPackage])
    if (!isExecutable(name)) throw new Error(`Cannot find "${name}": try "apt-get install ${debianPackage}"`)
  },
}

try {
  await build()
  const { main } = await loadTypeScript('test/support/matrix/matrix-command.ts')
  process.exitCode = await main(process.argv.slice(2), machine)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
