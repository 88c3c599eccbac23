import { printable } from '../util/printable.ts'
import type { SchedulerIdentity, WorkerIdentity } from './calls/questions.ts'

/** How many are named. */
const most = 20

/** Of the workers that a scheduler has: how many run, how many there are, and words for which they are. */
export function presentWorkers({ workers }: SchedulerIdentity): {
  readonly running: number
  readonly count: number
  readonly words: string
} {
  const all = Object.values(workers).sort(byName)
  const words = all
    .slice(0, most)
    .map(({ id, host, status }) => printable(`${id} on ${host}${status === 'running' ? '' : ` (${status})`}`))
  if (all.length > most) words.push(`and ${all.length - most} more`)
  const running = all.filter(({ status }) => status === 'running').length
  return { running, count: all.length, words: words.join(', ') || 'none' }
}

/** Order of a scheduler's workers: by name, those of numbers first and in their order. */
export function byName(a: WorkerIdentity, b: WorkerIdentity): number {
  return String(a.id).localeCompare(String(b.id), 'en', { numeric: true })
}
