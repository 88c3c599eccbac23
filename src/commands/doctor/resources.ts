import { readFile } from 'node:fs/promises'
import { type TaskShare, taskShare } from '../../components/task-share.ts'
import { tooManyGpus, type WorkerGpus, workerGpus } from '../../components/worker-gpus.ts'
import { bytesOf, shareAmong, type WorkerResources } from '../../components/worker-resources.ts'
import type { RunnerKind } from '../../runners/choose-runner.ts'
import type { Environment } from '../../identity/environment.ts'
import type { Share } from '../../identity/share.ts'
import { type NodeLimits, readNodeLimits } from '../../process/limits.ts'
import type { Role } from '../../identity/roles.ts'
import { formatBytes, formatCount } from '../../util/format.ts'
import { formatShare, formatWorker } from '../format-share.ts'
import { about, type Finding } from './finding.ts'

const onResources = about('resources')
const onGpus = about('gpus')
const onLimits = about('limits')

/** What a process has for its part of the cluster. */
export interface ResourceFacts {
  readonly limits: NodeLimits
  /** How many files a process may have open; undefined where that is not known. */
  readonly openFiles: number | undefined
}

/** What the run wants of them. */
export interface RunResources {
  /** What the workload manager has given. */
  readonly share: Share
  /** Whose processes these are. */
  readonly runner: RunnerKind
  /** Workers of each worker process. */
  readonly nworkers: number
  /** What this process hosts. */
  readonly roles: readonly Role[]
  readonly nthreads?: number | undefined
  readonly memoryLimit?: string | undefined
  readonly gpusPerWorker?: number | undefined
  readonly resources?: string | undefined
  /** With the lists of GPUs that can be seen. */
  readonly env: Environment
}

/** Looks at what the kernel gives to this process. */
export async function lookAtResources(): Promise<ResourceFacts> {
  return { limits: readNodeLimits(), openFiles: await openFiles() }
}

/** The soft limit, which Node has raised to the hard one, for itself and its children. */
async function openFiles(): Promise<number | undefined> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const [, soft] = /^Max open files +(\d+)/m.exec(text) ?? []
  return soft === undefined ? undefined : Number(soft)
}

/** A worker with less has hardly room for Dask itself. In bytes. */
const leastMemory = 300_000_000
/** Connections that a scheduler has with each worker and its peers, generously. */
const filesOfWorker = 6
/** Files that a process of Dask has open without any worker. */
const filesAlways = 200

/** What each worker would get, and of what, in words. */
export function formatThisWorker({ limits }: ResourceFacts, wanted: RunResources): string {
  const share = taskShare(wanted.share, limits)
  const gpus = workerGpus(wanted.env, wanted.share, wanted)
  const has = formatShare(share, gpus).join('; ')
  return `${formatWorker(shareAmong(share, wanted), wanted, gpus)}; its process has ${has}`
}

/** Judges what each worker would get. */
export function checkResources({ limits, ...facts }: ResourceFacts, wanted: RunResources): Finding[] {
  const share = taskShare(wanted.share, limits)
  const each = shareAmong(share, wanted)
  return [
    onResources.ok(formatThisWorker({ limits, ...facts }, wanted)),
    ...checkMemory(share, each, wanted),
    ...checkCpus(share, each, wanted),
    ...checkGpus(workerGpus(wanted.env, wanted.share, wanted)),
  ]
}

function checkGpus(gpus: WorkerGpus | undefined): Finding[] {
  if (gpus === undefined) return []
  const { each, visible, workers } = gpus
  const tooMany = tooManyGpus(gpus)
  if (tooMany !== undefined)
    return [onGpus.warning(tooMany, 'ask for more GPUs, such as by srun --gpus-per-node=4, or a smaller number')]
  if (each * workers > visible) return [onGpus.note(`${workers} workers share ${formatCount(visible, 'GPU')}`)]
  const idle = visible - each * workers
  return idle === 0 ? [] : [onGpus.note(`of ${formatCount(visible, 'GPU')} ${idle} are no worker's own`)]
}

/** Variables of the workload manager that could not be read. */
export function checkVariables({ warnings = [] }: Share): Finding[] {
  return warnings.map((text) => onResources.warning(`${text}: it does not count`, 'check what changed it'))
}

function checkMemory(
  { memory }: TaskShare,
  { memoryLimit, short }: WorkerResources,
  { nworkers }: RunResources,
): Finding[] {
  if (short !== undefined)
    return [onResources.warning(short, 'ask for more by --mem, or for --layout exclusive with more tasks')]
  const bytes = bytesOf(memoryLimit)
  if (bytes === undefined) return []
  const workers = nworkers === 1 ? 'a worker' : `each of ${nworkers} workers`
  if (bytes === 0)
    return [
      onResources.note(
        `without a limit of memory ${workers} neither spills nor pauses, and its process has ${formatBytes(memory.amount)} (${memory.source})`,
      ),
    ]
  // A byte or two are lost in dividing.
  if (bytes * nworkers > memory.amount + nworkers)
    return [
      onResources.warning(
        `${formatBytes(bytes * nworkers)} for the workers of a process that has ${formatBytes(memory.amount)} (${memory.source}): they may be killed`,
        'leave --memory-limit out, or ask for more by --mem',
      ),
    ]
  if (bytes >= leastMemory) return []
  return [onResources.warning(`${formatBytes(bytes)} of memory is little for ${workers}`, 'ask for more by --mem')]
}

function checkCpus({ cpus }: TaskShare, { nthreads }: WorkerResources, wanted: RunResources): Finding[] {
  const { nworkers, runner } = wanted
  if (nworkers * nthreads > cpus.amount)
    return [
      onResources.note(
        `${formatCount(nworkers * nthreads, 'thread')} on ${formatCount(cpus.amount, 'CPU')} (${cpus.source})`,
      ),
    ]
  if (cpus.amount >= 2) return []
  if (runner === 'mpi')
    return [
      onResources.note(
        'the rank may run on one CPU, as MPI launchers bind each to one',
        'where it is to have more: --bind-to none, or --map-by slot:PE=4 of Open MPI',
      ),
    ]
  if (runner !== 'slurm' || wanted.share.cpus === undefined) return []
  return [
    onResources.note(
      'the task has one CPU; since Slurm 22.05 srun does not take --cpus-per-task over from sbatch',
      'where more were asked for: srun --cpus-per-task=$SLURM_CPUS_PER_TASK',
    ),
  ]
}

/** Judges whether a scheduler of so many workers could have all of its connections. */
export function checkOpenFiles(openFiles: number | undefined, workers: number): Finding[] {
  if (openFiles === undefined) return []
  const needed = filesAlways + filesOfWorker * workers
  if (openFiles >= needed) return [onLimits.ok(`${openFiles} open files`)]
  return [
    onLimits.warning(
      `a process may have ${openFiles} files open, and a scheduler of ${workers} workers can need ${needed}`,
      `ulimit -n ${needed}`,
    ),
  ]
}
