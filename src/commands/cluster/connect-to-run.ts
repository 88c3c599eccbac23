import { ControlClient } from '../../control/control-client.ts'
import type { PublishedFile, SchedulerFile } from '../../record/scheduler-file.ts'
import { withIoTimeout } from '../../util/io-timeout.ts'
import { lookAt } from './look.ts'
import type { FindOptions } from './no-cluster.ts'
import type { Target } from './target.ts'

/** A run of ours whose rank 0 has answered. */
export interface ConnectedRun {
  readonly kind: 'connected'
  readonly client: ControlClient
  readonly file: PublishedFile
}

/** A rank 0 that has not answered after so long is left alone, and the scheduler asked instead. In milliseconds. */
const longestTry = 5_000

/**
 * Looks once for a run of ours and connects to its rank 0, which knows more than the scheduler and
 * spares it questions. The secret in the file makes sure that it is the run of the file.
 *
 * @returns undefined where there is no such run, or its rank 0 cannot be reached from here.
 */
export async function connectToRun(
  target: Target,
  { timeout, signal }: FindOptions,
): Promise<ConnectedRun | undefined> {
  if ('address' in target) return undefined
  // The scheduler is asked in the other half, where rank 0 does not answer.
  const longest = Math.ceil(Math.min(timeout / 2, longestTry))
  const end = AbortSignal.timeout(longest)
  try {
    const sight = await withIoTimeout(lookAt(target), longest, () => new Error('late'), signal)
    if (sight.kind !== 'file' || !isPublished(sight.file)) return undefined
    const { file } = sight
    const client = await ControlClient.open(file.dask_hpc_runner, { signal: AbortSignal.any([end, signal]) })
    return { kind: 'connected', client, file }
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

function isPublished(file: SchedulerFile): file is PublishedFile {
  return file.dask_hpc_runner !== undefined
}
