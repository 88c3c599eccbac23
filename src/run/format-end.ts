import { bytesOf } from '../components/worker-resources.ts'
import type { CompleteOptions } from '../options.ts'
import { type Exit, formatExit } from '../process/exit.ts'
import type { MemoryLoss } from '../python/dask-process.ts'
import { formatBytes } from '../util/format.ts'

/** What a sentence about memory depends on. */
type MemoryOptions = Pick<CompleteOptions, 'env'> & { readonly memoryLimit?: string | undefined }

/**
 * How a component ended, in words: {@link formatExit}, and what helps if memory had run out.
 *
 * @param allowed how much Dask allows a worker, in Dask's notation
 */
export function formatEnd(exit: Exit, options: MemoryOptions, allowed?: string): string {
  if (exit.forced || exit.outOfMemory === undefined) return formatExit(exit)
  const more = allowed === undefined ? [] : [formatAllowed(allowed)]
  return [formatExit(exit), ...more, moreMemory(options, `${allowed === '0' ? 'set' : 'lower'} --memory-limit`)].join(
    '; ',
  )
}

/** How the worker of a nanny has ended for its memory, and what helps. */
export function formatMemoryLoss({ exit, limit, part }: MemoryLoss, options: MemoryOptions): string {
  if (exit !== undefined) return formatEnd(exit, options, String(limit ?? 0))
  const most = `${Math.round((part ?? 1) * 100)} % of the ${formatBytes(limit ?? 0)} that Dask allows it`
  return `was ended by its nanny because it took more than ${most}; ${memoryAdvice(options)}`
}

function formatAllowed(allowed: string): string {
  const bytes = bytesOf(allowed)
  if (bytes === 0) return 'Dask sets this worker no limit'
  return `Dask allows this worker ${bytes === undefined ? allowed : formatBytes(bytes)}`
}

/** What helps where a worker takes as much memory as Dask allows it. */
export function memoryAdvice(options: MemoryOptions): string {
  return moreMemory(options, options.memoryLimit === undefined ? undefined : 'raise --memory-limit')
}

function moreMemory({ env }: MemoryOptions, last?: string): string {
  const more = env.SLURM_JOB_ID === undefined ? 'give the run more memory' : 'ask Slurm for more memory (--mem)'
  const fewer = 'start fewer workers on the node'
  return last === undefined ? `${more} or ${fewer}` : `${more}, ${fewer}, or ${last}`
}
