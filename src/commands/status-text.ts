import { type DashboardState, tunnelledUrl } from '../dask/dashboard.ts'
import { formatDuration } from '../util/duration.ts'
import { groupBy } from '../util/group-by.ts'
import { printable } from '../util/printable.ts'
import { formatBytes, formatCount } from '../util/format.ts'
import type { ClusterStatus, TaskCounts, WorkerStatus } from './status.ts'

/** Rows that fit on one screen, below what comes before them. */
const mostRows = 30

/** A status for people, without a newline at the end. */
export function formatStatus(exact: ClusterStatus): string {
  const status = withPrintableTexts(exact)
  const { scheduler, dashboard, run, total } = status
  const versions = [scheduler.distributed, scheduler.python]
    .map((version, i) => (version === null ? [] : `${i === 0 ? 'Dask' : 'Python'} ${version}`))
    .flat()
    .join(', ')
  const lines = [
    field(
      'scheduler',
      `${scheduler.address}, for ${formatAge(scheduler.age)}${versions === '' ? '' : `, ${versions}`}`,
    ),
    field('id', scheduler.id),
    ...(status.scheduler_file === null ? [] : [field('file', status.scheduler_file)]),
    ...formatDashboard(dashboard),
    ...(run === null ? [] : [field('run', formatRun(run)), ...formatTimeLeft(run)]),
    field('workers', formatTotal(status)),
    ...(total.workers === 0 ? [] : [field('tasks', formatTasks(total.tasks))]),
  ]
  return [...lines, ...table(status.workers)].join('\n')
}

/** Names and hosts are whatever a worker has called itself. */
function withPrintableTexts(status: ClusterStatus): ClusterStatus {
  const text = JSON.stringify(status, (_, value: unknown) => (typeof value === 'string' ? printable(value) : value))
  return JSON.parse(text) as ClusterStatus
}

function field(name: string, value: string): string {
  return `${name.padEnd(10)} ${value}`
}

const dashboards: Readonly<Record<Exclude<DashboardState, 'there'>, string>> = {
  'no-bokeh': "Dask serves none: install bokeh in the scheduler's Python",
  off: 'none: the scheduler was started without',
  unreachable: 'cannot be reached from here',
}

function formatDashboard(dashboard: ClusterStatus['dashboard']): string[] {
  if (dashboard === null) return [field('dashboard', 'none')]
  const { url, state, tunnel } = dashboard
  if (state === 'no-bokeh' || state === 'off') return [field('dashboard', dashboards[state])]
  return [
    field('dashboard', state === 'there' ? url : `${url} (${dashboards[state]})`),
    ...(tunnel === null
      ? []
      : [field('', `from your own machine: ${tunnel}`), field('', `and then ${tunnelledUrl(url)}`)]),
  ]
}

function formatRun({ key, job_id, step_id, host, pid }: NonNullable<ClusterStatus['run']>): string {
  const job = job_id === null ? '' : `: job ${job_id}, step ${step_id ?? '?'}`
  return `${key}${job}, rank 0 on ${host} (process id ${pid})`
}

function formatTimeLeft({ end_time, time_left }: NonNullable<ClusterStatus['run']>): string[] {
  if (end_time === null || time_left === null) return []
  const until = end_time.replace('T', ' ').replace(/\..*/, ' UTC')
  return [
    field(
      'time left',
      time_left === 0 ? `none: the job was to end at ${until}` : `${formatAge(time_left)}, until ${until}`,
    ),
  ]
}

function formatTotal({ run, total, workers }: ClusterStatus): string {
  const of = run === null ? total.workers : run.n_workers
  const hosts = new Set(workers.map(({ host }) => host)).size
  return [
    `${total.running} of ${of} run`,
    ...(total.workers === 0
      ? []
      : [
          `on ${formatCount(hosts, 'host')}`,
          formatCount(total.threads, 'thread'),
          ...formatGpus(total.gpus),
          formatMemory(total.memory, total.memory_limit),
        ]),
  ].join(', ')
}

function formatGpus(gpus: number): string[] {
  return gpus === 0 ? [] : [formatCount(gpus, 'GPU')]
}

function formatTasks({ executing, ready, memory }: TaskCounts): string {
  return `${executing} executing, ${ready} ready, ${memory} in memory`
}

function formatMemory(used: number, limit: number | null): string {
  return `${formatBytes(used)} of ${limit === null ? 'no limit' : formatBytes(limit)}`
}

/** One row for each worker, or for each host where those would be too many. */
function table(workers: readonly WorkerStatus[]): string[] {
  if (workers.length === 0) return []
  const gpus = workers.some((worker) => worker.gpus > 0)
  const rows =
    workers.length <= mostRows
      ? workers.map((worker, i) => rowOfWorker(worker, { gpus, again: workers[i - 1]?.host === worker.host }))
      : groupBy(workers, ({ host }) => host).map(([, each]) => rowOfHost(each, gpus))
  const head = [
    'host',
    workers.length <= mostRows ? 'worker' : 'workers',
    'state',
    'threads',
    ...(gpus ? ['GPUs'] : []),
    'memory',
    'executing',
    'ready',
    'in memory',
  ]
  const shown = rows.slice(0, mostRows)
  const all = [head, ...shown]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const left = rows.length - shown.length
  return [
    '',
    ...all.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    ),
    ...(left > 0 ? [`and ${formatCount(left, 'more host')}; --json has them all`] : []),
  ]
}

/** @param gpus whether there is a column for them; `again`, whether the row before is of the same host */
function rowOfWorker(worker: WorkerStatus, { gpus, again }: { gpus: boolean; again: boolean }): string[] {
  const { host, name, state, threads, memory, memory_limit, tasks } = worker
  const used = memory === null ? '?' : formatBytes(memory)
  return [
    again ? '' : host,
    name,
    state,
    String(threads),
    ...(gpus ? [formatDevices(worker)] : []),
    memory_limit === null ? used : `${used} / ${formatBytes(memory_limit)}`,
    ...cells(tasks),
  ]
}

/** Of a UUID so much is shown as tells it from others. */
const longestDevice = 12

/** How many, and which: `2 (0,1)`. */
function formatDevices({ gpus, gpu_devices: devices }: WorkerStatus): string {
  if (devices === null || devices.length === 0) return String(gpus)
  const names = devices.map((name) => (name.length > longestDevice ? `${name.slice(0, longestDevice)}…` : name))
  return `${gpus} (${names.join(',')})`
}

function rowOfHost(workers: readonly WorkerStatus[], gpus: boolean): string[] {
  const sum = (of: (worker: WorkerStatus) => number): number => workers.reduce((total, worker) => total + of(worker), 0)
  const running = workers.filter(({ state }) => state === 'running').length
  const limited = workers.every(({ memory_limit }) => memory_limit !== null)
  const used = formatBytes(sum(({ memory }) => memory ?? 0))
  return [
    workers[0]?.host ?? '?',
    String(workers.length),
    running === workers.length ? 'running' : `${running} running`,
    String(sum(({ threads }) => threads)),
    ...(gpus ? [String(sum((worker) => worker.gpus))] : []),
    limited ? `${used} / ${formatBytes(sum(({ memory_limit }) => memory_limit ?? 0))}` : used,
    ...cells({
      executing: sum(({ tasks }) => tasks.executing),
      ready: sum(({ tasks }) => tasks.ready),
      memory: sum(({ tasks }) => tasks.memory),
    }),
  ]
}

function cells({ executing, ready, memory }: TaskCounts): string[] {
  return [executing, ready, memory].map(String)
}

function formatAge(seconds: number | null): string {
  if (seconds === null) return 'an unknown time'
  if (seconds < 7_200) return formatDuration(Math.floor(seconds) * 1000)
  if (seconds < 172_800) return `${Number((seconds / 3_600).toFixed(1))} h`
  return `${Number((seconds / 86_400).toFixed(1))} days`
}
