import { type CompleteOptions, nameOf } from '../options.ts'
import { mostProcesses } from '../options/table.ts'
import { workersOfProcess } from './worker-names.ts'
import { parsePorts } from '../util/ports.ts'
import type { Role } from '../identity/roles.ts'

/** What options are held against. */
export interface RunSize {
  /** The roles of every process, by rank. */
  readonly roles: readonly (readonly Role[])[]
  /** All processes are on one host. */
  readonly isOnOneHost: boolean
}

/**
 * Checks those options that only the size of a run decides on.
 *
 * @throws RangeError where the run is too small for one of them, or has too many workers.
 */
export function checkRunSize(options: CompleteOptions, { roles, isOnOneHost }: RunSize): void {
  const { nworkers, minWorkers, waitWorkers, scheduler, workerPort } = options
  const workers = roles.filter((each) => each.includes('worker')).length * workersOfProcess(options)
  const name = (option: string): string => nameOf(options, option)
  if (workers > mostProcesses)
    throw new RangeError(
      `Cannot start ${workers} workers (${name('nworkers')} ${nworkers}): a run has up to ${mostProcesses}`,
    )
  if (minWorkers > Math.max(1, workers))
    throw new RangeError(`Cannot use ${name('minWorkers')} "${minWorkers}": the run starts ${count(workers)}`)
  // The cluster of another run may have more.
  if (typeof waitWorkers === 'number' && scheduler && waitWorkers > workers)
    throw new RangeError(`Cannot use ${name('waitWorkers')} "${waitWorkers}": the run starts ${count(workers)}`)
  const ports = workerPort === undefined ? undefined : parsePorts(workerPort)
  if (isOnOneHost && ports !== undefined && ports.first > 0 && ports.last - ports.first + 1 < workers)
    throw new RangeError(
      `Cannot use ${name('workerPort')} "${workerPort}": the run starts ${count(workers)} on this host; ` +
        `write a range such as ${ports.first}:${ports.first + workers - 1}`,
    )
}

function count(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`
}
