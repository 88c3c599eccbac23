import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { mostProcesses } from '../../options/table.ts'
import { type Environment, identityError, readVariable, readWholeNumber, show } from '../../identity/environment.ts'
import type { Identity } from '../../identity/identity.ts'
import { findLauncherVariable } from '../launchers.ts'
import type { RunKey } from '../../identity/run-key.ts'
import type { Share } from '../../identity/share.ts'
import { ShareVariables } from '../../identity/share-variables.ts'
import { identifySlurm, launchNodeAddresses } from '../slurm/identify-slurm.ts'
import { shareInJob } from '../slurm/slurm-share.ts'

/** What the MPI library says, which only it knows under some launchers. */
export interface MpiWorld {
  readonly rank: number
  readonly size: number
}

/** What {@link identifyMpi} takes beside the environment. */
export interface IdentifyMpiOptions {
  /** Name of this host. @default as the system has it */
  readonly host?: string
  /** The user's own word for this run. */
  readonly runId?: string | undefined
  /** What the MPI library says. @default nobody has asked it */
  readonly world?: MpiWorld | undefined
}

/** How a launcher tells its processes who they are. */
interface Launcher {
  readonly name: string
  readonly rank: string
  /** Variables with the number of processes; the first one that is set counts. */
  readonly size: readonly string[]
  /** Variables with the number of processes on this node. */
  readonly localSize: readonly string[]
  /** Variables with this process's number among them. */
  readonly localRank: readonly string[]
  /** Variables with the number of nodes. */
  readonly nodes: readonly string[]
  /** Variables that are the same in all processes of a run, and together differ in every other run. */
  readonly unique: readonly string[]
}

/** By what they set, the most telling first: some set the variables of others too. */
const launchers: readonly Launcher[] = [
  {
    name: 'openmpi',
    rank: 'OMPI_COMM_WORLD_RANK',
    size: ['OMPI_COMM_WORLD_SIZE'],
    localSize: ['OMPI_COMM_WORLD_LOCAL_SIZE'],
    localRank: ['OMPI_COMM_WORLD_LOCAL_RANK'],
    nodes: ['OMPI_MCA_orte_num_nodes'],
    // The second one is random, in Open MPI 4; in 5 the first names host and process of mpirun.
    unique: ['PMIX_NAMESPACE', 'OMPI_MCA_orte_precondition_transports'],
  },
  {
    name: 'pals',
    rank: 'PALS_RANKID',
    size: ['PMI_SIZE'],
    localSize: ['PMI_LOCAL_SIZE'],
    localRank: ['PALS_LOCAL_RANKID', 'PMI_LOCAL_RANK'],
    nodes: [],
    unique: ['PALS_APID'],
  },
  {
    name: 'flux',
    rank: 'FLUX_TASK_RANK',
    size: ['FLUX_JOB_SIZE'],
    localSize: [],
    localRank: ['FLUX_TASK_LOCAL_ID'],
    nodes: ['FLUX_JOB_NNODES'],
    unique: ['FLUX_JOB_ID'],
  },
  // Hydra and its like: nothing of it is unique to a run.
  {
    name: 'pmi',
    rank: 'PMI_RANK',
    size: ['PMI_SIZE'],
    localSize: ['MPI_LOCALNRANKS', 'PMI_LOCAL_SIZE'],
    localRank: ['MPI_LOCALRANKID', 'PMI_LOCAL_RANK'],
    nodes: [],
    unique: [],
  },
  {
    name: 'pmix',
    rank: 'PMIX_RANK',
    size: [],
    localSize: [],
    localRank: ['PMIX_LOCAL_RANK'],
    nodes: [],
    unique: ['PMIX_NAMESPACE'],
  },
]

/** Job ids of the workload managers that MPI launchers work under. */
const jobIds = ['SLURM_JOB_ID', 'PBS_JOBID', 'LSB_JOBID', 'FLUX_JOB_ID', 'OAR_JOB_ID', 'JOB_ID'] as const

/**
 * Who this process is among those that an MPI launcher has started, from the launcher's variables and,
 * where these do not tell, from the library. Under `srun` it is the task of the step.
 *
 * @throws RunnerError with `ERR_ENVIRONMENT` where nothing tells, or where the library contradicts the
 * launcher: a world of 1 under a launcher of 4 processes would become four clusters.
 */
export function identifyMpi(env: Environment, options: IdentifyMpiOptions): Identity {
  const identity = identify(env, options)
  if (options.world !== undefined) checkWorld(identity, options.world)
  return identity
}

function identify(env: Environment, options: IdentifyMpiOptions): Identity {
  const launcher = launcherOf(env)
  if (launcher !== undefined) return fromLauncher(env, launcher, options)
  return isSlurmStep(env) ? identifySlurm(env, { identity: 'task' }) : fromLibrary(env, options)
}

function fromLauncher(env: Environment, launcher: Launcher, options: IdentifyMpiOptions): Identity {
  const { host = hostname(), world } = options
  const variable = sizeVariable(env, launcher)
  const rank = readWholeNumber(env, launcher.rank) ?? 0
  const size = variable === undefined ? world?.size : readWholeNumber(env, variable)
  if (size === undefined)
    throw identityError(
      `${show(env, launcher.rank)}, but no variable tells how many processes there are`,
      'install koffi ("npm install koffi"), with which the MPI library is asked',
    )
  if (size > mostProcesses)
    throw identityError(
      `${show(env, variable ?? launcher.rank)}, so there are ${size} processes, and a run has up to ${mostProcesses}`,
      'check what changed it',
    )
  if (rank >= size)
    throw identityError(
      `${show(env, launcher.rank)} but there are ${size} processes, and ranks count from 0`,
      'check what changed it',
    )
  return {
    rank,
    size,
    host,
    nodes: nodesOf(env, launcher, size),
    share: mpiShare(env, launcher, size),
    launcherAddresses: launcherAddresses(env),
    runKey: runKeyOf(env, options, launcher),
    source: `${launcher.rank}=${rank} of ${variable === undefined ? size : `${variable}=${size}`}`,
  }
}

/** The library may have joined a world of which the environment says nothing that is known here. */
function fromLibrary(env: Environment, options: IdentifyMpiOptions): Identity {
  const { host = hostname(), world } = options
  if (world === undefined || world.size === 1)
    throw identityError(
      `no MPI launcher that is known here has left its variables (${launchers.map(({ rank }) => rank).join(', ')})` +
        (world === undefined ? '' : ', and the MPI library knows of no other process'),
      'start me with mpirun, or on one machine with "dask-hpc-runner local"',
    )
  return {
    ...world,
    host,
    nodes: world.size,
    share: { processes: 1 },
    runKey: runKeyOf(env, options),
    source: `rank ${world.rank} of ${world.size} in the MPI library`,
  }
}

/**
 * Compares who a process is with what the MPI library says: a world of 1 under a launcher of four
 * processes would become four clusters.
 *
 * @throws RunnerError with `ERR_ENVIRONMENT` where they differ.
 */
export function checkWorld({ rank, size, source }: Identity, world: MpiWorld): void {
  if (world.rank === rank && world.size === size) return
  throw identityError(
    `the MPI library says rank ${world.rank} of ${world.size}, but the launcher says ${source}, ` +
      "so the library is not the launcher's",
    'name the right one by --mpi-library (under srun, the way to it by srun --mpi), or do without by --mpi-library none',
  )
}

/** Whether the environment alone tells this run from every other, as the scheduler file needs it. */
export function isUniqueRun(env: Environment, { runId }: Pick<IdentifyMpiOptions, 'runId'>): boolean {
  if (runId !== undefined) return true
  const launcher = launcherOf(env)
  if (launcher === undefined) return isSlurmStep(env)
  return launcher.unique.some((name) => readVariable(env, name) !== undefined)
}

/** Whether the launcher's variables tell how many processes there are. */
export function tellsSize(env: Environment): boolean {
  const launcher = launcherOf(env)
  return launcher === undefined ? isSlurmStep(env) : sizeVariable(env, launcher) !== undefined
}

function launcherOf(env: Environment): Launcher | undefined {
  // In a step of Slurm, what Slurm has set for MPI is no launcher of its own.
  if (findLauncherVariable(env) === undefined) return undefined
  return launchers.find(({ rank }) => readVariable(env, rank) !== undefined)
}

function isSlurmStep(env: Environment): boolean {
  return (
    readVariable(env, 'SLURM_PROCID') !== undefined &&
    (readVariable(env, 'SLURM_STEP_ID') ?? readVariable(env, 'SLURM_STEPID')) !== undefined
  )
}

function sizeVariable(env: Environment, { size }: Launcher): string | undefined {
  return size.find((name) => readVariable(env, name) !== undefined)
}

function runKeyOf(env: Environment, { runId }: IdentifyMpiOptions, launcher?: Launcher): RunKey {
  const unique = launcher?.unique.flatMap((name) => readVariable(env, name) ?? []) ?? []
  const digest = createHash('sha256').update(unique.join(' ')).digest('hex').slice(0, 12)
  return {
    cluster: launcher?.name ?? 'mpi',
    jobId: jobIds.map((name) => readVariable(env, name)).find((id) => id !== undefined) ?? 'mpi',
    stepId: runId ?? (unique.length === 0 ? '0' : digest),
    restart: 0,
  }
}

function nodesOf(env: Environment, launcher: Launcher, size: number): number {
  const variables = new ShareVariables(env)
  const said = variables.firstNumber(launcher.nodes)
  if (said !== undefined && said > 0) return said
  const local = variables.firstNumber(launcher.localSize)
  // Where nothing is known, they may all be on nodes of their own.
  return local === undefined || local === 0 ? size : Math.ceil(size / local)
}

/** The ranks of a node have equal parts of it; in a job of Slurm, of what that says too. */
function mpiShare(env: Environment, launcher: Launcher, size: number): Share {
  const variables = new ShareVariables(env)
  const perNode = Math.ceil(size / nodesOf(env, launcher, size))
  const processes = Math.max(1, variables.firstNumber(launcher.localSize) ?? perNode)
  const localRank = variables.firstNumber(launcher.localRank)
  const share = shareInJob(env, { processes, areTasks: true, ...(localRank === undefined ? {} : { localRank }) })
  const warnings = [...variables.warnings, ...(share.warnings ?? [])]
  return warnings.length === 0 ? share : { ...share, warnings }
}

/** The addresses of the host of `mpirun`, as Open MPI 4 tells them: `869531648.0;tcp://10.0.0.1,…:54755;tcp6://[fd00::1]:54756`. */
function launcherAddresses(env: Environment): readonly string[] {
  const uri = readVariable(env, 'OMPI_MCA_orte_hnp_uri') ?? ''
  const lists = [...uri.matchAll(/;tcp:\/\/([0-9.,]+):|;tcp6:\/\/\[([^\]]+)\]/g)]
  const addresses = lists.flatMap(([, four, six]) => (four ?? six ?? '').split(','))
  return addresses.length === 0 ? launchNodeAddresses(env) : addresses
}
