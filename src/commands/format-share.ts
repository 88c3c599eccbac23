import type { TaskShare } from '../components/task-share.ts'
import { gpuResource, type WorkerGpus } from '../components/worker-gpus.ts'
import type { WorkerResources } from '../components/worker-resources.ts'
import type { Amount } from '../identity/share.ts'
import { formatBytes, formatCount } from '../util/format.ts'

/** What a process has, each with where it comes from: `2 GiB: SLURM_MEM_PER_GPU × 4 GPUs ÷ 2 tasks`. */
export function formatShare({ cpus, memory }: TaskShare, gpus?: WorkerGpus): readonly string[] {
  return [
    said(formatCount(cpus.amount, 'CPU'), cpus),
    said(formatBytes(memory.amount), memory),
    ...(gpus === undefined ? [] : [said(formatGpuShare(gpus), gpus)]),
  ]
}

/** Those that its workers begin with, of those that they see. */
function formatGpuShare({ each, visible, environments }: WorkerGpus): string {
  const own = each * environments.length
  return visible <= own ? formatCount(visible, 'GPU') : `${own} of ${formatCount(visible, 'GPU')}`
}

function said(what: string, { source }: Pick<Amount, 'source'>): string {
  return `${what}: ${source}`
}

/** What each worker gets: `a worker gets 1 thread and 2 GiB`. */
export function formatWorker(
  { nthreads, memoryLimit, kept }: WorkerResources,
  { nworkers, resources }: { readonly nworkers: number; readonly resources?: string | undefined },
  gpus?: WorkerGpus,
): string {
  const workers = nworkers === 1 ? 'a worker' : `each of ${nworkers} workers`
  const [threads, memory] = [formatCount(nthreads, 'thread'), formatMemoryLimit(memoryLimit, kept)]
  if (gpus === undefined) return `${workers} gets ${threads} and ${memory}`
  const own = Math.min(gpus.each, gpus.visible)
  const resource = gpuResource(resources, gpus.each)
  const says = resource === own ? '' : ` (and has the resource GPU=${resource})`
  return `${workers} gets ${threads}, ${memory} and ${formatCount(own, 'GPU')}${says}`
}

function formatMemoryLimit(limit: string, kept?: string): string {
  if (/^[1-9]\d*$/.test(limit)) return `${formatBytes(Number(limit))}${kept === undefined ? '' : ` (${kept})`}`
  return /^0+$/.test(limit) ? 'memory without a limit' : `${limit} of memory`
}
