import { hostname } from 'node:os'
import * as z from 'zod/mini'
import type { SchedulerIdentity, WorkerIdentity, SchedulerVersions } from '../dask/answers.ts'
import { checkDashboard, type DashboardState, dashboardUrl, tunnelCommand } from '../dask/dashboard.ts'
import { systemNames } from '../options/names.ts'
import { byName } from '../dask/present-workers.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { parseAs } from '../record/schemas.ts'
import type { LiveCluster } from './cluster/find.ts'
import type { Target } from './cluster/target.ts'

/** Tasks of a worker, or of all of them, as of its last heartbeat. */
export interface TaskCounts {
  readonly executing: number
  /** Waiting for a thread. */
  readonly ready: number
  /** Finished, with the result in memory. */
  readonly memory: number
}

/** One worker. */
export interface WorkerStatus {
  /** A name of digits is the rank of its process, in a cluster of ours. */
  readonly name: string
  readonly address: string
  readonly host: string
  readonly threads: number
  /** How many GPUs it begins with; where it does not tell, its resource `GPU`, or 0. */
  readonly gpus: number
  /** Which these are, as CUDA_VISIBLE_DEVICES or its like names them; null where that is not known. */
  readonly gpu_devices: readonly string[] | null
  /** Dask's word: `running`, `paused`, `closing_gracefully`, ... */
  readonly state: string
  /** Bytes that its process takes; null before its first heartbeat. */
  readonly memory: number | null
  /** Bytes; null for no limit. */
  readonly memory_limit: number | null
  /** Percent of one CPU; null before its first heartbeat. */
  readonly cpu: number | null
  readonly tasks: TaskCounts
  /** Seconds since its last heartbeat. */
  readonly silent_for: number
}

/** What `status --json` prints: the keys are documented in docs/status.md. */
export interface ClusterStatus {
  /** Version of this form. */
  readonly version: 1
  /** When this was seen, in ISO 8601. */
  readonly time: string
  readonly scheduler_file: string | null
  readonly scheduler: {
    readonly address: string
    readonly id: string
    /** In ISO 8601, by the scheduler's clock; null where it says what is no time. */
    readonly started: string | null
    /** Seconds since then. */
    readonly age: number | null
    readonly dask: string | null
    readonly distributed: string | null
    readonly python: string | null
  }
  /** Null where the scheduler names none. */
  readonly dashboard: { readonly url: string; readonly state: DashboardState; readonly tunnel: string | null } | null
  /** Null where the cluster is not ours. */
  readonly run: {
    readonly key: string
    readonly job_id: string | null
    readonly step_id: string | null
    /** How many workers the run starts. */
    readonly n_workers: number
    /** Of rank 0. */
    readonly host: string
    readonly pid: number
    /** When its job ends, in ISO 8601; null where the scheduler file does not say. */
    readonly end_time: string | null
    /** Seconds until then, by the clock of this host; 0 where it is past. */
    readonly time_left: number | null
  } | null
  /** By host and name. */
  readonly workers: readonly WorkerStatus[]
  readonly total: {
    readonly workers: number
    /** Of these, how many take tasks. */
    readonly running: number
    readonly threads: number
    readonly gpus: number
    readonly memory: number
    /** Null where a worker has no limit. */
    readonly memory_limit: number | null
    readonly tasks: TaskCounts
  }
}

/** What does not change while a cluster lives, so that it is asked for once. */
export interface Constants {
  readonly versions: SchedulerVersions | undefined
  readonly dashboard: ClusterStatus['dashboard']
}

/** How to ask. */
export interface StatusOptions {
  /** Milliseconds that the scheduler may take to answer. */
  readonly timeout: number
  readonly signal: AbortSignal
  /** For the host through which users reach this machine: SLURM_SUBMIT_HOST. */
  readonly env: NodeJS.ProcessEnv
}

/** How long a dashboard may take to show its first page. In milliseconds. */
const dashboardTimeout = 2_000

/** Asks for versions, and whether the dashboard is there. */
export async function askConstants(cluster: LiveCluster, { timeout, signal, env }: StatusOptions): Promise<Constants> {
  const { client, identity, file } = cluster
  const login = env.SLURM_SUBMIT_HOST
  const home = file?.dask_hpc_runner?.host ?? hostname()
  const check = async (url: string): Promise<DashboardState> =>
    await checkDashboard(url, { timeout: Math.min(timeout, dashboardTimeout), signal })
  const look = async (): Promise<Constants['dashboard']> => {
    let url = dashboardUrl({ ...identity, dask_hpc_runner: file?.dask_hpc_runner })
    if (url === undefined) return null
    let state = await check(url)
    if (state === 'unreachable' && file?.dask_hpc_runner?.secure === true) {
      // It is on loopback of its host.
      url = url.replace(/\/\/(\[.*\]|[^:/]+)/, '//127.0.0.1')
      if (home === hostname()) state = await check(url)
    }
    const tunnel = state === 'no-bokeh' || state === 'off' ? null : tunnelCommand(url, { home, login })
    return { url, state, tunnel }
  }
  const [versions, dashboard] = await Promise.all([client.versions({ timeout, signal }), look()])
  return { versions, dashboard }
}

/** What is known of a cluster, in the order in which it is shown. Pure. */
export function describeCluster(
  target: Target,
  { identity, file }: Pick<LiveCluster, 'identity' | 'file'>,
  { versions, dashboard }: Constants,
  now: number = Date.now(),
): ClusterStatus {
  const workers = Object.entries(identity.workers)
    .sort(([, a], [, b]) => a.host.localeCompare(b.host, 'en', { numeric: true }) || byName(a, b))
    .map(([address, worker]) => describeWorker(address, worker, now))
  const sum = (of: (worker: WorkerStatus) => number): number => workers.reduce((total, worker) => total + of(worker), 0)
  return {
    version: 1,
    time: new Date(now).toISOString(),
    scheduler_file: 'path' in target ? target.path : null,
    scheduler: { ...describeScheduler(identity, now), ...versionsOf(versions) },
    dashboard,
    run: file?.dask_hpc_runner === undefined ? null : describeRun(file.dask_hpc_runner, now),
    workers,
    total: {
      workers: workers.length,
      running: workers.filter(({ state }) => state === 'running').length,
      threads: sum(({ threads }) => threads),
      gpus: sum(({ gpus }) => gpus),
      memory: sum(({ memory }) => memory ?? 0),
      memory_limit: workers.some((worker) => worker.memory_limit === null)
        ? null
        : sum((worker) => worker.memory_limit ?? 0),
      tasks: {
        executing: sum(({ tasks }) => tasks.executing),
        ready: sum(({ tasks }) => tasks.ready),
        memory: sum(({ tasks }) => tasks.memory),
      },
    },
  }
}

function describeScheduler(identity: SchedulerIdentity, now: number) {
  const { address, id } = identity
  const started = new Date(identity.started * 1000)
  if (Number.isNaN(started.getTime())) return { address, id, started: null, age: null }
  return { address, id, started: started.toISOString(), age: seconds(now - started.getTime()) }
}

function versionsOf(versions: SchedulerVersions | undefined) {
  return {
    dask: versions?.packages.dask ?? null,
    distributed: versions?.packages.distributed ?? null,
    python: versions?.host.python?.replace(/\.final\.0$/, '') ?? null,
  }
}

/**
 * The job and the step in a run key. The ids of most systems may have anything in them, and so may the name of a cluster of Slurm,
 * whose jobs have numbers.
 */
const jobInKey = new RegExp(`^(?:(?:${[...systemNames, 'variables'].join('|')})-(.+)|.*-(\\d+))\\.([^.]+)-r\\d+$`)

function describeRun(
  { run_key, n_workers, host, pid, end_time = NaN }: ClusterRecord,
  now: number,
): NonNullable<ClusterStatus['run']> {
  const [, ofSystem, ofSlurm, step_id = null] = jobInKey.exec(run_key) ?? []
  const job_id = ofSystem ?? ofSlurm ?? null
  const end = new Date(end_time * 1000)
  const isKnown = !Number.isNaN(end.getTime())
  return {
    ...{ key: run_key, job_id, step_id, n_workers, host, pid },
    end_time: isKnown ? end.toISOString() : null,
    time_left: isKnown ? seconds(end.getTime() - now) : null,
  }
}

function describeWorker(address: string, worker: WorkerIdentity, now: number): WorkerStatus {
  const { metrics } = worker
  const tasks = (...states: readonly string[]): number =>
    states.reduce((total, state) => {
      const n = metrics?.task_counts?.[state]
      return total + (typeof n === 'number' ? n : 0)
    }, 0)
  return {
    name: String(worker.id),
    address,
    host: worker.host,
    threads: worker.nthreads,
    ...gpusOf(worker),
    state: worker.status,
    memory: metrics?.memory ?? null,
    memory_limit: worker.memory_limit === 0 ? null : worker.memory_limit,
    cpu: metrics?.cpu ?? null,
    tasks: {
      executing: tasks('executing', 'long-running'),
      ready: tasks('ready', 'constrained', 'waiting'),
      memory: tasks('memory'),
    },
    silent_for: worker.last_seen === undefined ? 0 : seconds(now - worker.last_seen * 1000),
  }
}

const toldGpusSchema = z.object({ count: z.number(), devices: z.array(z.string()) })

function gpusOf({ dask_hpc_runner_gpus, resources }: WorkerIdentity): Pick<WorkerStatus, 'gpus' | 'gpu_devices'> {
  const told = typeof dask_hpc_runner_gpus === 'string' ? parseAs(toldGpusSchema, dask_hpc_runner_gpus) : undefined
  if (told === undefined) return { gpus: resources?.GPU ?? 0, gpu_devices: null }
  return { gpus: told.count, gpu_devices: told.devices }
}

/** Not below nothing: the clocks of two hosts differ. */
function seconds(ms: number): number {
  return Math.max(0, Math.round(ms / 100) / 10)
}
