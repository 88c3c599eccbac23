import { defaults } from '../defaults.ts'
import { RunnerError } from '../errors.ts'
import { readNamed } from '../filesystem/read-named.ts'
import { formatReadError } from '../filesystem/system-error.ts'
import type { ClientProcess } from '../python/client-process.ts'
import { clientPatience, takeClientProcess } from '../python/take-client-process.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import { parseSchedulerFile } from '../record/parse.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { formatValue } from './check-options.ts'
import { absolutePath } from '../util/surroundings.ts'

/** A runner, as far as its client needs it. */
export interface ClusterLike {
  readonly schedulerAddress: string
  /** @internal */
  [takeClientProcess]?(python?: string): Promise<ClientProcess>
  /** @internal */
  readonly [clientPatience]?: number
}

/** Where a cluster is: a runner, a scheduler file, or an address such as `tcp://10.0.0.1:8786`. */
export type ClusterTarget = ClusterLike | { readonly schedulerFile: string } | string

/** What a target comes down to. */
export interface FoundTarget {
  readonly address: string
  /** Gives a process in the environment of the run, with the run's own Python or this one. */
  readonly takeProcess?: (python?: string) => Promise<ClientProcess>
  /** How long the import of Dask may take, and then connecting, if the runner says so. In milliseconds. */
  readonly patience?: number
  /** Whether we are a part of the run, so that its workers are in reach. */
  readonly inRun: boolean
  /** The run, where it was started with --secure, and is known by its scheduler file. */
  readonly secureRun?: ClusterRecord
}

/**
 * Finds the scheduler's address.
 *
 * @param target undefined: that of the run whose client program this is
 * @throws RunnerError ERR_UNAVAILABLE where the file is not that of a scheduler, ERR_ENVIRONMENT where nothing
 * says where the cluster is.
 */
export async function findTarget(
  target: ClusterTarget | undefined,
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<FoundTarget> {
  if (target === undefined) {
    const address = env.DASK_SCHEDULER_ADDRESS
    if (address !== undefined && address !== '')
      return { address, inRun: env.DASK_HPC_RUNNER_SCHEDULER_FILE !== undefined }
    throw new RunnerError(
      'Cannot connect: DASK_SCHEDULER_ADDRESS is not set; name a runner, a scheduler file or an address',
      { code: 'ERR_ENVIRONMENT' },
    )
  }
  if (typeof target === 'string') return { address: checkAddress(target), inRun: false }
  const given = target as { readonly schedulerAddress?: unknown; readonly schedulerFile?: unknown } | null
  if (typeof given?.schedulerAddress !== 'string' && typeof given?.schedulerFile !== 'string')
    throw new TypeError(
      `Cannot connect to ${formatValue(given)}: name a runner, an address such as tcp://10.0.0.1:8786, or { schedulerFile: 'path' }`,
    )
  if ('schedulerAddress' in target) {
    const { schedulerAddress: address } = target
    const [takeProcess, patience] = [target[takeClientProcess]?.bind(target), target[clientPatience]]
    return {
      address,
      inRun: true,
      ...(takeProcess && { takeProcess }),
      ...(patience === undefined ? {} : { patience }),
    }
  }
  const path = absolutePath(target.schedulerFile)
  const own = env.DASK_SCHEDULER_ADDRESS
  // The scheduler of a program's own run may be only starting: its file comes when it listens.
  if (own !== undefined && env.DASK_HPC_RUNNER_N_WORKERS !== undefined && env.DASK_HPC_RUNNER_SCHEDULER_FILE === path)
    return { address: own, inRun: true }
  const { address, dask_hpc_runner: run } = await readFile(path)
  return { address, inRun: false, ...(run?.secure === true && { secureRun: run }) }
}

function checkAddress(address: string): string {
  if (/^([a-z][a-z0-9+.-]*:\/\/)?.+:\d+$/.test(address)) return address
  throw new TypeError(
    `Cannot connect to "${address}": write an address such as tcp://10.0.0.1:8786, or { schedulerFile: '${address}' }`,
  )
}

async function readFile(path: string): Promise<SchedulerFile> {
  const cannot = (why: string, cause?: unknown): RunnerError =>
    new RunnerError(`Cannot connect by the scheduler file "${path}": ${why}`, { code: 'ERR_UNAVAILABLE', cause })
  let text: string
  try {
    text = await withIoTimeout(
      readNamed(path),
      defaults.filesystemTimeout,
      () => new Error('its filesystem does not answer'),
    )
  } catch (cause) {
    throw cannot(formatReadError(cause), cause)
  }
  const parsed = parseSchedulerFile(text)
  if (parsed.kind === 'valid') return parsed.file
  throw cannot(parsed.kind === 'foreign' ? parsed.why : `it is ${parsed.kind}`)
}
