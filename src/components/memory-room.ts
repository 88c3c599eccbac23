import type { Amount } from '../identity/share.ts'
import type { Role } from '../identity/roles.ts'
import { formatBytes } from '../util/format.ts'

const mib = 2 ** 20

/**
 * What scheduler and client program take of the memory of a process that hosts a worker too, in bytes. Measured with Dask
 * 2022.12: this program 19 MiB, a scheduler of few tasks 44 MiB, a client program without imports of its own 41 MiB.
 */
const needs: Readonly<Record<Role, number>> = { scheduler: 100 * mib, client: 100 * mib, worker: 0 }

const names: Readonly<Record<Role, string>> = { scheduler: 'the scheduler', client: 'the client program', worker: '' }

/** Dask pauses a worker at this part of its limit: what is above stays for others. (distributed.worker.memory.pause) */
const pausesAt = 0.8
/** With less even a worker that does nothing would soon pause. In bytes. */
const leastOfWorker = 128 * mib

/** How the memory of a process is divided among what it hosts. */
export interface MemoryRoom {
  /** For all of its workers together, in bytes. */
  readonly workers: number
  /** What is kept from them and for whom, in words; undefined where they have all of it. */
  readonly kept?: string
  /** What is wrong where it is not enough for all, in words. */
  readonly short?: string
}

/**
 * Workers get all of their process's memory, unless a scheduler and a client program beside them would then be left
 * without room when Dask pauses the workers: the kernel would kill one of them before that.
 */
export function memoryRoom(memory: Amount, roles: readonly Role[], nworkers: number): MemoryRoom {
  const others = roles.filter((role) => needs[role] > 0)
  const needed = others.reduce((sum, role) => sum + needs[role], 0)
  const roomy = (memory.amount - needed) / pausesAt
  if (others.length === 0 || roomy >= memory.amount) return { workers: memory.amount }
  const workers = Math.min(memory.amount, Math.max(roomy, leastOfWorker * nworkers))
  const who = others.map((role) => names[role]).join(' and ')
  const kept = `${formatBytes(needed)} stay for ${who}`
  const least = needed + pausesAt * leastOfWorker * nworkers
  if (memory.amount >= least) return { workers, kept }
  const whose = nworkers === 1 ? 'a worker' : `${nworkers} workers`
  const short =
    `${formatBytes(memory.amount)} (${memory.source}) is too little for ${others.map((role) => names[role]).join(', ')} and ${whose}, which need about ` +
    `${formatBytes(least)}: the kernel may kill one of them`
  return { workers, short }
}
