import { readFile } from 'node:fs/promises'
import { shareAmong } from '../../components/worker-resources.ts'
import type { RunnerKind } from '../../identity/choose-runner.ts'
import type { Share } from '../../identity/share.ts'
import { affinity, cgroupMemory } from '../../process/limits.ts'
import { type Finding, found } from './finding.ts'
import { sayBytes } from './say.ts'

/** What a process has for its part of the cluster. */
export interface ResourceFacts {
  /** CPUs that the process may run on. */
  readonly affinity: number
  /** Limit of the cgroup in bytes. */
  readonly cgroupMemory: number | undefined
  /** How many files a process may have open; undefined where that is not known. */
  readonly openFiles: number | undefined
}

/** What the run wants of them. */
export interface WantedResources {
  /** What the workload manager has given. */
  readonly share: Share
  /** Whose processes these are. @default 'slurm' */
  readonly launcher?: RunnerKind
  /** Workers of each worker process. */
  readonly nworkers: number
  readonly nthreads: number | undefined
  readonly memoryLimit: string | undefined
}

/** Looks at what the kernel gives to this process. */
export async function lookAtResources(): Promise<ResourceFacts> {
  return { affinity: affinity(), cgroupMemory: cgroupMemory(), openFiles: await openFiles() }
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

/** What each worker would get, in words. */
export function sayWorker(facts: ResourceFacts, wanted: WantedResources): string {
  const { nthreads, memory, bytes } = workerOf(facts, wanted)
  const workers = wanted.nworkers === 1 ? 'a worker' : `each of ${wanted.nworkers} workers`
  const threads = nthreads === 1 ? '1 thread' : `${nthreads} threads`
  return `${workers} gets ${threads} and ${bytes === undefined ? `memory as ${memory ?? 'Dask chooses'}` : sayBytes(bytes)}`
}

interface WorkerFacts {
  readonly nthreads: number
  /** In Dask's notation; undefined where Dask chooses. */
  readonly memory: string | undefined
  /** The same in bytes, where it is a number of them. */
  readonly bytes: number | undefined
}

function workerOf(facts: ResourceFacts, wanted: WantedResources): WorkerFacts {
  const { share, nworkers } = wanted
  const each = shareAmong(nworkers, { ...facts, processes: share.processes, share })
  const memory = wanted.memoryLimit ?? each.memoryLimit
  const bytes = memory !== undefined && /^[1-9]\d*$/.test(memory) ? Number(memory) : undefined
  return { nthreads: wanted.nthreads ?? each.nthreads, memory, bytes }
}

/** Judges what each worker would get. */
export function judgeResources(facts: ResourceFacts, wanted: WantedResources): Finding[] {
  const { share, nworkers, launcher = 'slurm' } = wanted
  const { nthreads, bytes } = workerOf(facts, wanted)
  const findings = [found('ok', 'resources', sayWorker(facts, wanted))]
  if (bytes !== undefined && bytes < leastMemory)
    findings.push(
      found(
        'warning',
        'resources',
        `${sayBytes(bytes)} of memory is little for ${nworkers === 1 ? 'a worker' : `each of ${nworkers} workers`}`,
        'ask for more by --mem',
      ),
    )
  const cpus = Math.min(facts.affinity, share.cpus ?? Infinity)
  if (nworkers * nthreads > cpus)
    findings.push(
      found('note', 'resources', `${nworkers * nthreads} threads share ${cpus} CPU${cpus === 1 ? '' : 's'}`),
    )
  else if (cpus === 1 && launcher === 'mpi')
    findings.push(
      found(
        'note',
        'resources',
        'the rank may run on one CPU, as MPI launchers bind each to one',
        'where it is to have more: --bind-to none, or --map-by slot:PE=4 of Open MPI',
      ),
    )
  else if (cpus === 1 && share.cpus !== undefined)
    findings.push(
      found(
        'note',
        'resources',
        'the task has one CPU; since Slurm 22.05 srun does not take --cpus-per-task over from sbatch',
        'where more were asked for: export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK',
      ),
    )
  return findings
}

/** Judges whether a scheduler of so many workers could have all of its connections. */
export function judgeOpenFiles(openFiles: number | undefined, workers: number): Finding[] {
  if (openFiles === undefined) return []
  const needed = filesAlways + filesOfWorker * workers
  if (openFiles >= needed) return [found('ok', 'limits', `${openFiles} open files`)]
  return [
    found(
      'warning',
      'limits',
      `a process may have ${openFiles} files open, and a scheduler of ${workers} workers can need ${needed}`,
      `ulimit -n ${needed}`,
    ),
  ]
}
