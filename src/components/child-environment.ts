import { withDefaults, withTwins } from '../util/container-twins.ts'
import { isTlsVariable, tlsEnvironment, type TlsFiles } from '../util/tls-files.ts'

/**
 * Variables that say "you are a task of this step" or "you are a rank of this MPI program". A child
 * that believed it would, for one, make `import mpi4py` abort.
 */
const ofTheLauncher = /^(SLURM_STEP_?ID$|PMI_|PMIX_|OMPI_|PALS_|PRTE_|MPI_LOCAL|HYDI_|FLUX_TASK_)/

/** Our own, meant for this process alone. */
const ours = /^((APPTAINER|SINGULARITY)ENV_)?DASK_HPC_RUNNER_/

/** What {@link childEnvironment} takes beside the environment. */
export interface ChildOptions {
  /** Leaves the launcher's variables in. */
  readonly keepMpiEnv: boolean
  /** Variables that tell this process its place, beside those of srun and MPI launchers. @default none */
  readonly ofTask?: readonly string[] | undefined
}

/** The environment of the processes that we start: ours, without the launcher's word on who we are. */
export function childEnvironment(
  env: Readonly<NodeJS.ProcessEnv>,
  { keepMpiEnv, ofTask = [] }: ChildOptions,
): NodeJS.ProcessEnv {
  const saysWho = (name: string): boolean => ofTask.includes(name) || ofTheLauncher.test(name)
  return withNestedSteps(
    Object.fromEntries(Object.entries(env).filter(([name]) => !ours.test(name) && (keepMpiEnv || !saysWho(name)))),
  )
}

/**
 * A step of a step: `srun`, or an `mpirun` that calls it, would otherwise wait for the CPUs of the very task that
 * starts it, and be bound as that is.
 */
function withNestedSteps(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (env.SLURM_JOB_ID === undefined) return env
  const unbound = Object.entries(env).filter(([name]) => !name.startsWith('SLURM_CPU_BIND'))
  return withDefaults(Object.fromEntries(unbound), { SLURM_OVERLAP: '1' })
}

/** What one of Dask's nannies sets for its worker: a worker's threads share the cores already. */
const workerDefaults: Readonly<Record<string, string>> = {
  MALLOC_TRIM_THRESHOLD_: '65536',
  OMP_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
}

/** {@link childEnvironment} for a worker; what the user has set stays. */
export function workerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return withDefaults(env, workerDefaults)
}

/** Where the cluster is, for the client program. */
export interface ClusterPlace {
  readonly schedulerAddress: string
  /** Absolute path. Undefined where there is none. */
  readonly schedulerFile: string | undefined
  readonly nWorkers: number
  /** When the job of the run ends, in seconds since 1970. Undefined where that is not known. */
  readonly endTime?: number | undefined
  /** How long Dask's clients may try to connect, in its notation, unless the user has said so himself. @default as Dask has it */
  readonly connectTimeout?: string | undefined
  /** The template of the link to the dashboard, unless the user has said so himself. @default as Dask has it */
  readonly dashboardLink?: string | undefined
  /** Where Dask's clients need a certificate. */
  readonly tls?: TlsFiles | undefined
}

/** One that was inherited may name another cluster. */
const inheritedFile = /^((APPTAINER|SINGULARITY)ENV_)?DASK_HPC_RUNNER_SCHEDULER_FILE$/

/** How long a client of Dask tries to connect: the program may begin before its scheduler listens. */
const linkVariable = 'DASK_DISTRIBUTED__DASHBOARD__LINK'
const connectVariable = 'DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT'

/** {@link childEnvironment} for the client program, in which a plain `Client()` finds the cluster. */
export function clientEnvironment(env: NodeJS.ProcessEnv, place: ClusterPlace): NodeJS.ProcessEnv {
  const { schedulerAddress, schedulerFile, nWorkers, endTime, connectTimeout, dashboardLink, tls } = place
  const own = {
    DASK_SCHEDULER_ADDRESS: schedulerAddress,
    ...(schedulerFile === undefined ? {} : { DASK_HPC_RUNNER_SCHEDULER_FILE: schedulerFile }),
    DASK_HPC_RUNNER_N_WORKERS: String(nWorkers),
    ...(endTime === undefined ? {} : { DASK_HPC_RUNNER_END_TIME: String(endTime) }),
    ...(connectTimeout === undefined ? {} : { [connectVariable]: env[connectVariable] ?? connectTimeout }),
    ...(dashboardLink === undefined ? {} : { [linkVariable]: env[linkVariable] ?? dashboardLink }),
    ...(tls === undefined ? {} : tlsEnvironment(tls)),
  }
  const others = Object.entries(withNestedSteps(env)).filter(([name]) => !inheritedFile.test(name))
  const certificates = Object.fromEntries(others.filter(([name]) => isTlsVariable(name)))
  return { ...Object.fromEntries(others), ...withTwins({ ...certificates, ...own }) }
}
