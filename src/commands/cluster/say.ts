import type { SchedulerIdentity, WorkerInfo } from '../../dask/calls/identity.ts'

/** `1 worker`, `2 workers`. */
export function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`
}

/** Bytes as Dask writes them: `512 MiB`, `3.9 GiB`. */
export function sayBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const amount = bytes / 1024 ** power
  return `${amount < 10 && power > 0 ? amount.toFixed(1) : String(Math.round(amount))} ${units[power] ?? ''}`
}

/** Names of a scheduler's workers, those of numbers first and in their order. */
export function byName(a: WorkerInfo, b: WorkerInfo): number {
  return String(a.id).localeCompare(String(b.id), 'en', { numeric: true })
}

/** Which workers a scheduler has: `0 on 10.0.0.1, 2 on 10.0.0.2 (paused)`; undefined where it has none. */
export function sayWorkers({ workers }: SchedulerIdentity, most = 20): string | undefined {
  const words = Object.values(workers)
    .sort(byName)
    .map(({ id, host, status }) => `${id} on ${host}${status === 'running' ? '' : ` (${status})`}`)
  if (words.length === 0) return undefined
  const more = words.length - most
  return [...words.slice(0, most), ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}
