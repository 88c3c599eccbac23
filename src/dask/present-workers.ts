import { formatBytes } from '../util/format.ts'
import { printable } from '../util/printable.ts'
import type { SchedulerIdentity, WorkerIdentity } from './answers.ts'

/** How many are named. */
const most = 20

/** Of the workers that a scheduler has: how many run, how many there are, and words for which they are. */
export function presentWorkers({ workers }: SchedulerIdentity): {
  readonly running: number
  readonly count: number
  readonly words: string
} {
  const all = Object.values(workers)
  const running = all.filter(({ status }) => status === 'running').length
  const words = nameAll(all, ({ status }) => (status === 'running' ? '' : ` (${status})`))
  return { running, count: all.length, words: words || 'none' }
}

/** The workers that Dask has paused because of their memory, in words; undefined where there is none. */
export function pausedWorkers({ workers }: SchedulerIdentity): string | undefined {
  const paused = Object.values(workers).filter(({ status }) => status === 'paused')
  return paused.length === 0 ? undefined : nameAll(paused, (worker) => ` (${formatState(worker)})`)
}

function nameAll(workers: readonly WorkerIdentity[], more: (worker: WorkerIdentity) => string): string {
  const all = workers.toSorted(byName)
  const words = all.slice(0, most).map((worker) => printable(`${worker.id} on ${worker.host}${more(worker)}`))
  if (all.length > most) words.push(`and ${all.length - most} more`)
  return words.join(', ')
}

/** The state of a worker, with its memory by its last heartbeat if that is why it takes no tasks: `paused at 410 MiB of 500 MiB`. */
export function formatState({ status, metrics, memory_limit: limit }: WorkerIdentity): string {
  if (status !== 'paused' || metrics?.memory === undefined || limit === null) return status
  return `paused at ${formatBytes(metrics.memory)} of ${formatBytes(limit)}`
}

/** Order of a scheduler's workers: by name, those of numbers first and in their order. */
export function byName(a: WorkerIdentity, b: WorkerIdentity): number {
  return String(a.id).localeCompare(String(b.id), 'en', { numeric: true })
}
