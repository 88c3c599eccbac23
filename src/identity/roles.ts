import type { Layout } from '../options.ts'

/** What a process can host. */
export type Role = 'scheduler' | 'client' | 'worker'

/** What the roles of a run's processes depend on. */
export interface World {
  /** How many processes the run has, from 1. */
  readonly size: number
  /** `exclusive`: scheduler and client have a process each; `shared`: rank 0 hosts both and a worker. */
  readonly layout: Layout
  /** Host a client. */
  readonly client: boolean
  /** Start a scheduler; false adds workers to the cluster of an existing scheduler file. */
  readonly scheduler: boolean
}

/**
 * The roles of every process, by rank; within a process in the order scheduler, client, worker.
 * Worlds of 1 and 2 are always shared, so that there is a worker.
 *
 * @throws RangeError where the size is not a whole number from 1.
 */
export function assignRoles(world: World): readonly (readonly Role[])[] {
  checkSize(world.size)
  return Array.from({ length: world.size }, (_, rank) => rolesAt(rank, world))
}

/**
 * The roles of one process.
 *
 * @throws RangeError where the size is not a whole number from 1, or the rank is outside of the world.
 */
export function rolesOf(rank: number, world: World): readonly Role[] {
  checkSize(world.size)
  if (!Number.isInteger(rank) || rank < 0 || rank >= world.size)
    throw new RangeError(`Cannot give roles to rank "${rank}": ranks of a world of ${world.size} count from 0`)
  return rolesAt(rank, world)
}

function rolesAt(rank: number, world: World): readonly Role[] {
  const leading: Role[] = []
  if (world.scheduler) leading.push('scheduler')
  if (world.client) leading.push('client')
  if (world.layout === 'shared' || world.size <= 2) return rank === 0 ? [...leading, 'worker'] : ['worker']
  return [leading[rank] ?? 'worker']
}

function checkSize(size: number): void {
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(`Cannot assign roles in a world of "${size}" processes: it is a whole number from 1`)
}
