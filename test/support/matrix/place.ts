import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { program, python } from '../slurm/directory.ts'
import { controllerName, SlurmCluster } from '../slurm/slurm-cluster.ts'
import type { Order } from './cell.ts'
import { mountFilesystem } from './filesystems.ts'
import { mountGluster } from './glusterfs.ts'
import { mountNfs } from './nfs.ts'

/** Where the runs of a cell live: a directory that all their hosts share, and the hosts. */
export interface Place extends AsyncDisposable {
  /** The shared directory, as the hosts see it. */
  readonly directory: string
  /** A name in the environment of everything that is started here: a part of its PATH, which reapers keep, too. */
  readonly mark: string
  /** A path of the shared directory, as this process sees it. */
  path(name: string): string
  /** The TMPDIR of each host, as this process sees them. */
  readonly temporary: readonly string[]
  /** `dask-hpc-runner`, as it is called here. */
  readonly program: readonly string[]
  /** Starts a command where a person would, in the folder `work` of the shared directory. */
  start(command: readonly string[]): ChildProcess
  /** Ends what is not over. */
  clear(): Promise<void>
}

/** What a place is to be like. */
export type PlaceOptions = Pick<Order, 'filesystem' | 'scratch' | 'env'>

/** One host: this machine. */
export async function openMachine({ filesystem, scratch, env: more = {} }: PlaceOptions): Promise<Place> {
  const directory = await mountFilesystem(filesystem, scratch)
  const mark = directory.split('/').find((part) => part.startsWith('dask-hpc-runner-matrix-')) ?? directory
  await writePython(join(directory, 'bin'))
  for (const name of ['work', 'tmp']) await mkdir(join(directory, name))
  const own = Object.entries(process.env).filter(([name]) => !/^(SLURM|PMI|OMPI|DASK|NODE_)/.test(name))
  const env = {
    ...Object.fromEntries(own),
    PATH: `${join(directory, 'bin')}:${process.env.PATH ?? ''}`,
    TMPDIR: join(directory, 'tmp'),
    // Open MPI gives its ranks a terminal.
    NO_COLOR: '1',
    // Open MPI asks for it where root runs its tests; the other launchers take no notice.
    ...{ OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' },
    ...more,
  }
  return {
    directory,
    mark,
    path: (name) => join(directory, name),
    temporary: [env.TMPDIR],
    program: [process.execPath, program],
    start: ([command = '', ...args]) =>
      spawn(command, args, { cwd: join(directory, 'work'), env, stdio: ['ignore', 'pipe', 'pipe'] }),
    clear: () => Promise.resolve(),
    [Symbol.asyncDispose]: async () => await rm(directory, { recursive: true, force: true }),
  }
}

async function writePython(bin: string): Promise<void> {
  await mkdir(bin)
  for (const name of ['python', 'python3'])
    await writeFile(join(bin, name), `#!/bin/sh\nexec '${python}' "$@"\n`, { mode: 0o755 })
}

/** Four hosts of a Slurm. */
export async function openSlurm({ filesystem, scratch, env: more = {} }: PlaceOptions): Promise<Place> {
  // What is there once, and the hosts share; others they mount themselves.
  const own = filesystem === 'ext4' || filesystem === 'overlay' ? await mountFilesystem(filesystem, scratch) : undefined
  const slurm = await SlurmCluster.start({
    cacheSeconds: filesystem === 'cached' ? 4 : 0,
    mountShared: async (cluster) => {
      if (filesystem === 'glusterfs') await mountGluster(cluster)
      if (filesystem === 'nfs') await mountNfs(cluster)
      if (own !== undefined)
        for (const host of cluster.hostNames) await cluster.on(host, ['mount', '--bind', own, cluster.shared])
    },
  })
  const mark = `matrix-${randomBytes(5).toString('hex')}`
  const login = slurm.host(controllerName)
  const directory = join(slurm.shared, mark)
  const path = (name: string): string => login.path(join(directory, name))
  await mkdir(path('work'), { recursive: true })
  const folders = slurm.hostNames.map((name) => slurm.host(name).path(join('/tmp', mark)))
  for (const folder of folders) await mkdir(folder)
  // The first is not there, and marks whatever is started here.
  const env = { ...slurm.env, PATH: `${directory}/bin:${slurm.env.PATH ?? ''}`, TMPDIR: join('/tmp', mark), ...more }
  return {
    directory,
    mark,
    path,
    temporary: folders,
    program: ['dask-hpc-runner'],
    start: (command) => login.spawn(command, { env, directory: join(directory, 'work') }, ['ignore', 'pipe', 'pipe']),
    clear: async () => {
      await slurm.run(controllerName, ['scancel', '--user=root', '--signal=KILL', '--full'])
      await slurm.run(controllerName, ['scancel', '--user=root'])
    },
    [Symbol.asyncDispose]: async () => await slurm[Symbol.asyncDispose](),
  }
}
