import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'vitest'
import { type Cluster, program, type Started } from './cluster.ts'
import { until } from './until.ts'

/** An MPI launcher of this machine. */
export interface MpiLauncher {
  readonly name: string
  /** The launcher and its arguments, for `n` ranks. */
  readonly command: (n: number, ...args: readonly string[]) => [string, ...string[]]
  /** The library that belongs to it, as the loader finds it on Debian. */
  readonly library: string
  /** Whether its environment is unique to a run. */
  readonly isUnique: boolean
}

export const openMpi: MpiLauncher = {
  name: 'mpirun of Open MPI',
  command: (n, ...args) => ['mpirun.openmpi', '--oversubscribe', '--bind-to', 'none', '-n', String(n), ...args],
  library: 'libmpi.so.40',
  isUnique: true,
}

export const mpich: MpiLauncher = {
  name: 'mpiexec.hydra of MPICH',
  command: (n, ...args) => ['mpiexec.hydra', '-n', String(n), ...args],
  library: 'libmpich.so.12',
  isUnique: false,
}

export const launchers: readonly MpiLauncher[] = [openMpi, mpich]

/** Open MPI asks for it where root runs its tests; the other launchers take no notice. */
export const asRoot = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }

/** Vitest's `test`; skipped where the set-up has found no launchers. */
export const mpiTest = test.skipIf(process.env.DASK_HPC_RUNNER_TEST_NO_MPI !== undefined)

/** Starts `n` ranks of `dask-hpc-runner` with these arguments. */
export function startRanks(
  cluster: Cluster,
  launcher: MpiLauncher,
  n: number,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Started {
  return cluster.start([...launcher.command(n), process.execPath, program, ...args], { ...asRoot, ...env })
}

/** Starts the program as a single file, which finds no koffi beside it. */
export async function startRanksAlone(
  cluster: Cluster,
  launcher: MpiLauncher,
  n: number,
  args: readonly string[],
): Promise<Started> {
  const alone = join(cluster.directory, 'bin/cli.cjs')
  await copyFile(program, alone)
  return cluster.start([...launcher.command(n), process.execPath, alone, ...args], asRoot)
}

/** The process id of rank `rank` of `dask-hpc-runner run`, once it is there. */
export async function processOfRank(cluster: Cluster, rank: number): Promise<number> {
  return await processOf(cluster, rank, 'run')
}

/** The process id of the process that calls the MPI library for rank `rank`, once it is there. */
export async function helperOfRank(cluster: Cluster, rank: number): Promise<number> {
  return await processOf(cluster, rank, 'mpi-helper')
}

async function processOf(cluster: Cluster, rank: number, command: string): Promise<number> {
  const isIt = async (pid: number): Promise<boolean> => {
    const [cmdline, environ] = await Promise.all(
      ['cmdline', 'environ'].map(async (name) => {
        const text = await readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
        return text.split('\0')
      }),
    )
    const variables = [`OMPI_COMM_WORLD_RANK=${rank}`, `PMI_RANK=${rank}`]
    return cmdline?.[2] === command && variables.some((variable) => environ?.includes(variable) === true)
  }
  const look = async (): Promise<number | undefined> => {
    for (const pid of cluster.processes()) if (await isIt(pid)) return pid
    return undefined
  }
  const found = await until(look, (pid) => pid !== undefined, {
    what: `"${command}" of rank ${rank} is there`,
    say: () => 'it is not',
    interval: 20,
  })
  return found ?? -1
}
