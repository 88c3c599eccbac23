import type { Role } from '../identity/roles.ts'
import { memoryRoom } from './memory-room.ts'
import type { TaskShare } from './task-share.ts'

/** What the user wants of each worker. */
export interface WantedResources {
  /** Workers of the process. */
  readonly nworkers: number
  /** What the process hosts. @default workers alone */
  readonly roles?: readonly Role[]
  readonly nthreads?: number | undefined
  /** In Dask's notation. */
  readonly memoryLimit?: string | undefined
}

/** What one worker gets. */
export interface WorkerResources {
  readonly nthreads: number
  /** Bytes, or another of Dask's notations that the user has chosen. */
  readonly memoryLimit: string
  /** What is kept from the workers and for whom, in words. */
  readonly kept?: string
  /** What is wrong where the memory is not enough for all that the process hosts, in words. */
  readonly short?: string
}

/**
 * What each worker of a process gets: its part of the process's share of its node and no more, less what a small
 * one has to keep for scheduler and client, and at least one thread. What the user wants is done; `auto` is that part, and a fraction is one of the process's share.
 */
export function shareAmong(share: TaskShare, wanted: WantedResources): WorkerResources {
  const { nworkers, nthreads } = wanted
  return { nthreads: nthreads ?? Math.max(1, Math.floor(share.cpus.amount / nworkers)), ...memoryOf(share, wanted) }
}

function memoryOf(
  { memory }: TaskShare,
  { nworkers, memoryLimit = 'auto', roles = [] }: WantedResources,
): Omit<WorkerResources, 'nthreads'> {
  if (memoryLimit === 'auto') {
    const { workers, ...words } = memoryRoom(memory, roles, nworkers)
    return { memoryLimit: wholeBytes(workers / nworkers), ...words }
  }
  const fraction = Number(memoryLimit)
  // To Dask it is a part of what the machine has, of which this process may have been given little.
  return { memoryLimit: fraction > 0 && fraction <= 1 ? wholeBytes(memory.amount * fraction) : memoryLimit }
}

/** Whole bytes: 0 would be no limit to Dask. */
function wholeBytes(amount: number): string {
  return String(Math.max(1, Math.floor(amount)))
}

/** Bytes of an amount in Dask's notation, such as `4GiB`, `500 MB` or `0`; undefined where it is none. */
export function bytesOf(limit: string): number | undefined {
  const [, digits, prefix = '', binary] = /^\s*([0-9.]+(?:e[0-9]+)?)\s*(?:([kmgtp]?)(i?)b?)\s*$/i.exec(limit) ?? []
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf(prefix.toLowerCase())
  const bytes = Number(digits) * (binary === '' ? 1000 : 1024) ** power
  return Number.isNaN(bytes) ? undefined : Math.floor(bytes)
}
