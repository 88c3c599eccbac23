import type { Cell, Machine, Surroundings } from './cell.ts'

/** From which the others differ in one thing each: Slurm of four hosts on a tmpfs, all of this machine's own. */
const base: Cell = { name: 'base', axis: 'base', launcher: 'slurm', filesystem: 'tmpfs' }

/** All of the cell is in another Debian. */
const system =
  (suite: string) =>
  (machine: Machine): Surroundings => ({ system: machine.debian(suite) })

/** The Python of another Debian, under this machine's Slurm. */
const python =
  (suite: string) =>
  (machine: Machine): Surroundings => ({ python: machine.pythonOf(machine.debian(suite)) })

const node = (line: string): Cell => ({
  ...base,
  name: `node-${line}`,
  axis: 'Node',
  find: (machine) => ({ node: machine.node(line) }),
})

const launcher = (name: string, launcher: Cell['launcher'], suite?: string): Cell => ({
  ...base,
  name,
  axis: 'launcher',
  launcher,
  ...(suite !== undefined && { find: system(suite) }),
})

/** MPI 5's standard ABI, by the library that Debian has of it. */
const standardAbi = (name: 'openmpi' | 'mpich'): Cell => ({
  ...launcher(`${name}-abi-sid`, name, 'sid'),
  env: { DASK_HPC_RUNNER_MPI_LIBRARY: `libmpi_abi_${name}.so.1.0.0` },
})

const filesystem = (filesystem: Cell['filesystem'], find?: Cell['find']): Cell => ({
  ...base,
  name: filesystem,
  axis: 'filesystem',
  filesystem,
  ...(find && { find }),
})

/** Each axis is varied from the base; Debian 12, 13 and sid are this machine's, `trixie` and `sid`. */
export const cells: readonly Cell[] = [
  base,
  { ...base, name: 'dask-trixie', axis: 'Dask and Python', find: python('trixie') },
  { ...base, name: 'dask-sid', axis: 'Dask and Python', find: python('sid') },
  {
    ...base,
    name: 'python-3.12',
    axis: 'Dask and Python',
    find: (machine) => ({ python: machine.python('3.12', machine.debian('trixie')) }),
  },
  node('20.19.0'),
  node('22'),
  node('24'),
  node('26'),
  filesystem('ext4'),
  filesystem('overlay'),
  filesystem('cached'),
  filesystem('glusterfs', (machine) => {
    machine.program('/usr/sbin/glusterd', 'glusterfs-server')
    machine.program('/usr/sbin/glusterfs', 'glusterfs-client')
    return {}
  }),
  // Few machines' kernels have both halves of an NFS, and none of a container has.
  filesystem('nfs', (machine) => ({ system: machine.guest(), guest: true })),
  launcher('local', 'local'),
  launcher('slurm-trixie', 'slurm', 'trixie'),
  launcher('slurm-sid', 'slurm', 'sid'),
  launcher('openmpi', 'openmpi'),
  launcher('openmpi-trixie', 'openmpi', 'trixie'),
  launcher('openmpi-sid', 'openmpi', 'sid'),
  launcher('mpich', 'mpich'),
  launcher('mpich-trixie', 'mpich', 'trixie'),
  launcher('mpich-sid', 'mpich', 'sid'),
  standardAbi('openmpi'),
  standardAbi('mpich'),
  {
    ...base,
    name: 'newest',
    axis: 'pair',
    find: (machine) => ({ system: machine.debian('sid'), node: machine.node('26') }),
  },
  {
    ...base,
    name: 'cached-node-26',
    axis: 'pair',
    filesystem: 'cached',
    find: (machine) => ({ node: machine.node('26') }),
  },
]
