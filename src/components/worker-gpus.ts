import { type Environment, readVariable } from '../identity/environment.ts'
import { divided, type Share } from '../identity/share.ts'

/** What the user wants of each worker. */
export interface WantedGpus {
  /** Workers of the process. */
  readonly nworkers: number
  /** GPUs of each worker; 0 leaves all variables as they are. @default an equal part of those that can be seen */
  readonly gpusPerWorker?: number | undefined
}

/** The GPUs of a process's workers. */
export interface WorkerGpus {
  /** How many each worker is to have for its own; it gets no more than are {@link visible}. */
  readonly each: number
  /** How many the process sees. */
  readonly visible: number
  /** Where that comes from, for people: `CUDA_VISIBLE_DEVICES ÷ 4 tasks`. */
  readonly source: string
  /** How many workers see the same GPUs. */
  readonly workers: number
  /** What is set in the environment of each worker, in the order of the workers. */
  readonly environments: readonly Readonly<Record<string, string>>[]
}

/** Lists of devices. Programs of CUDA, HIP, OpenCL and Level Zero take the first one unless they choose another. */
const lists = [
  'CUDA_VISIBLE_DEVICES',
  'HIP_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'GPU_DEVICE_ORDINAL',
  'ZE_AFFINITY_MASK',
] as const

/** A number, a number with that of a tile, or the name of a device or of a part of it (MIG). */
const isDevice = /^(?:\d+(?:\.\d+)*|(?:GPU|MIG)-[\w/-]+)$/i

/**
 * Which GPUs each worker of this process begins with: the list that the process sees is divided among the
 * workers that see it, and rotated, so that each begins with its own and still sees its peers.
 *
 * @returns undefined where there is no such list, or the user wants it left alone.
 */
export function workerGpus(env: Environment, share: Share, wanted: WantedGpus): WorkerGpus | undefined {
  const { nworkers, gpusPerWorker } = wanted
  const seen = lists
    .map((name) => ({ name, devices: devicesOf(readVariable(env, name) ?? '') }))
    .filter(({ devices }) => devices.length > 0)
  const [first] = seen
  if (gpusPerWorker === 0 || (first === undefined && gpusPerWorker === undefined)) return undefined
  const visible = first?.devices.length ?? 0
  const { tasks, index } = sharers(visible, share)
  const workers = tasks * nworkers
  const each = gpusPerWorker ?? Math.max(1, Math.floor(visible / workers))
  // Devices of HIP and OpenCL are counted among those of ROCR_VISIBLE_DEVICES: one of the two is rotated.
  const rotated = seen.filter(({ name }) => name !== 'ROCR_VISIBLE_DEVICES' || !seen.some(countsWithin))
  return {
    each,
    visible,
    source: sourceOf(first?.name, tasks, gpusPerWorker),
    workers,
    environments: Array.from({ length: nworkers }, (_, i) =>
      Object.fromEntries(rotated.map(({ name, devices }) => [name, rotate(devices, (index * nworkers + i) * each)])),
    ),
  }
}

function sourceOf(name: string | undefined, tasks: number, gpusPerWorker: number | undefined): string {
  if (name === undefined) return '--gpus-per-worker, and no variable lists any'
  return gpusPerWorker === undefined ? divided(name, tasks) : `--gpus-per-worker, of those in ${name}`
}

/** What is wrong where a worker asks for more GPUs than its task sees, in words. */
export function tooManyGpus({ each, visible }: WorkerGpus): string | undefined {
  if (each <= visible) return undefined
  return visible === 0
    ? 'no variable lists GPUs: each worker has the resource GPU, and none a GPU that it begins with'
    : `--gpus-per-worker asks for ${each} GPUs for each worker, and its task sees ${visible}`
}

/** How many GPUs a worker of this process begins with, and which. */
export function beginsWith(
  { each, visible, environments }: WorkerGpus,
  worker: number,
): { readonly count: number; readonly devices: readonly string[] } {
  const count = Math.min(each, visible)
  const [list] = Object.values(environments[worker] ?? {})
  return { count, devices: list?.split(',').slice(0, count) ?? [] }
}

/**
 * What is set in the environment of a command that brings `count` workers, from the worker `first` on: their own
 * GPUs alone, because such a command may start a worker for each that it sees.
 */
export function ownGpus(
  { each, environments }: WorkerGpus,
  { first, count }: { readonly first: number; readonly count: number },
): Readonly<Record<string, string>> {
  const lists = Object.entries(environments[first] ?? {})
  return Object.fromEntries(
    lists.map(([name, list]) => [
      name,
      list
        .split(',')
        .slice(0, each * count)
        .join(','),
    ]),
  )
}

/** Resources as Dask's command line takes them: `GPU=1 MEM=2`. */
export function formatResources(resources: Readonly<Record<string, number>>): string {
  return Object.entries(resources)
    .map(([name, amount]) => `${name}=${amount}`)
    .join(' ')
}

/** The Dask resource that stands for them. */
const resource = 'GPU'

/**
 * The resources of a worker with so many GPUs. Dask takes either those of its command line or those of its
 * configuration: without the former, the GPUs are `offered`, for the latter to say otherwise.
 */
export function withGpus(
  resources: string | undefined,
  gpus = 0,
): { readonly given: { readonly resources?: string }; readonly offered: Readonly<Record<string, number>> } {
  if (gpus === 0) return { given: {}, offered: {} }
  if (resources === undefined) return { given: {}, offered: { [resource]: gpus } }
  const names = resources.split(/[\s,]+/).map((pair) => pair.split('=')[0])
  return { given: names.includes(resource) ? {} : { resources: `${resources} ${resource}=${gpus}` }, offered: {} }
}

/** How much of that resource a worker has, beside what the configuration of Dask says. */
export function gpuResource(resources: string | undefined, gpus: number): number {
  const named = /(?:^|[\s,])GPU=([^\s,]+)/.exec(resources ?? '')?.[1]
  return named === undefined ? gpus : Number(named)
}

function countsWithin({ name }: { readonly name: string }): boolean {
  return name === 'CUDA_VISIBLE_DEVICES' || name === 'HIP_VISIBLE_DEVICES' || name === 'GPU_DEVICE_ORDINAL'
}

/** CUDA ends its list at the first word that names no device, such as -1 or NoDevFiles. */
function devicesOf(text: string): readonly string[] {
  const words = text.split(',').map((word) => word.trim())
  const end = words.findIndex((word) => !isDevice.test(word))
  return end === -1 ? words : words.slice(0, end)
}

function rotate(devices: readonly string[], by: number): string {
  const start = by % devices.length
  return [...devices.slice(start), ...devices.slice(0, start)].join(',')
}

/**
 * How many tasks of the node see the same devices as this one, and which of them it is. One task knows only
 * how many it sees itself, and how many the node has for all: where those of all tasks together are no more
 * than that, each has its own. (Their names tell nothing: behind a control group each may count from 0.)
 */
function sharers(visible: number, { processes, localRank = 0, gpus }: Share): { tasks: number; index: number } {
  if (gpus?.onNode === undefined) return gpus?.areBound === true ? alone : { tasks: processes, index: localRank }
  if (visible >= gpus.onNode) return { tasks: processes, index: localRank }
  const tasks = Math.ceil((visible * processes) / gpus.onNode)
  return tasks <= 1 ? alone : { tasks, index: localRank % tasks }
}

const alone = { tasks: 1, index: 0 } as const
