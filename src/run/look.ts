import type { SchedulerIdentity, TaskCounts, WorkerIdentity } from '../dask/answers.ts'
import { groupBy } from '../util/group-by.ts'
import type { SeenValues, Values } from './samples.ts'

/** A worker, as the scheduler tells of it at one moment. */
export interface SeenWorker {
  readonly name: string
  readonly host: string
  readonly threads: number
  /** Undefined for no limit. */
  readonly memoryLimit: number | undefined
  /** Undefined before its first heartbeat, as what follows. */
  readonly memory: number | undefined
  /** CPUs in use. */
  readonly cpu: number | undefined
  readonly spilled: number | undefined
  readonly transfers: number | undefined
}

/** What the scheduler has answered. */
export interface Answer {
  readonly identity: SchedulerIdentity
  /** Undefined where it is not of this run. */
  readonly tasks: TaskCounts | undefined
}

/** What is seen at one moment: the numbers of the curves, and the workers. */
export interface Look extends SeenValues {
  readonly workers: readonly SeenWorker[]
}

/**
 * Reads what the scheduler has answered. Pure.
 *
 * @param hostOf where a worker of that name runs, as the workload manager calls it; the scheduler knows addresses alone
 */
export function lookAt({ identity, tasks }: Answer, hostOf: (worker: string) => string | undefined): Look {
  const all = Object.values(identity.workers)
  const workers = all.map((worker) => seenWorker(worker, hostOf(String(worker.id)) ?? worker.host))
  const state = (is: (status: string) => boolean): number => all.filter(({ status }) => is(status)).length
  return {
    workers,
    cluster: {
      workers_running: state((status) => status === 'running'),
      workers_paused: state((status) => status === 'paused'),
      workers_other: state((status) => status !== 'running' && status !== 'paused'),
      ...needs(workers),
      ...traffic(all),
      ...countsOf(tasks),
    },
    hosts: new Map(groupBy(workers, ({ host }) => host).map(([host, its]) => [host, needs(its)])),
  }
}

function seenWorker({ id, nthreads, memory_limit, metrics }: WorkerIdentity, host: string): SeenWorker {
  return {
    ...{ name: String(id), host, threads: nthreads },
    memoryLimit: memory_limit === null || memory_limit === 0 ? undefined : memory_limit,
    memory: metrics?.memory,
    cpu: metrics?.cpu === undefined ? undefined : metrics.cpu / 100,
    spilled: numberIn(metrics, 'spilled_bytes', 'disk'),
    transfers: numberIn(metrics, 'transfer', 'incoming_count_total'),
  }
}

/** What workers need, and what they may. */
function needs(workers: readonly SeenWorker[]): Values {
  const sum = (of: (worker: SeenWorker) => number | undefined): number =>
    workers.reduce((total, worker) => total + (of(worker) ?? 0), 0)
  const isLimited = workers.length > 0 && workers.every(({ memoryLimit }) => memoryLimit !== undefined)
  return {
    memory: sum(({ memory }) => memory),
    ...(isLimited ? { memory_limit: sum(({ memoryLimit }) => memoryLimit) } : {}),
    spilled: sum(({ spilled }) => spilled),
    cpu: sum(({ cpu }) => cpu),
    threads: sum(({ threads }) => threads),
  }
}

/** Bytes a second over the network of all hosts. Each worker tells of its whole host, so each host is counted once. */
function traffic(workers: readonly WorkerIdentity[]): Values {
  const total = (direction: string): number => {
    const ofHosts = new Map<string, number>()
    for (const { host, metrics } of workers) {
      const bytes = numberIn(metrics, 'host_net_io', direction) ?? 0
      ofHosts.set(host, Math.max(bytes, ofHosts.get(host) ?? 0))
    }
    return [...ofHosts.values()].reduce((a, b) => a + b, 0)
  }
  return { received: total('read_bps'), sent: total('write_bps') }
}

/** A task that is forgotten is none any more. */
function countsOf(tasks: TaskCounts | undefined): Values {
  if (tasks === undefined) return {}
  const now = (...states: readonly string[]): number =>
    states.reduce((total, state) => total + (tasks.now[state] ?? 0), 0)
  return {
    tasks_waiting: now('waiting', 'no-worker'),
    tasks_queued: now('queued'),
    tasks_processing: now('processing'),
    tasks_in_memory: now('memory'),
    tasks_failed: now('erred'),
    tasks_released: now('released'),
    ever_finished: tasks.ever.memory ?? 0,
    ever_failed: tasks.ever.erred ?? 0,
  }
}

/** A number that a worker tells of itself, if it tells it. */
function numberIn(metrics: WorkerIdentity['metrics'], group: string, name: string): number | undefined {
  const found: unknown = metrics?.[group]
  if (typeof found !== 'object' || found === null) return undefined
  const value = (found as Readonly<Record<string, unknown>>)[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
