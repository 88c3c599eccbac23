/** The text of a file, or undefined where it cannot be read. */
export type ReadText = (path: string) => string | undefined

/** A limit of a control group that this process is in. */
export interface GroupLimit {
  readonly amount: number
  /** The file that says so. */
  readonly file: string
  /** Whether the group is that of this task alone; else the processes of the run on this node may share it. */
  readonly isOwn: boolean
}

/** What the control groups of this process allow it. */
export interface GroupLimits {
  /** In bytes. */
  readonly memory: readonly GroupLimit[]
  /** Time of so many CPUs. */
  readonly cpus: readonly GroupLimit[]
  /** How many CPUs the group may run on; undefined where that is not said. */
  readonly cpuset: number | undefined
}

/**
 * What this process's control groups and all those above them allow: the kernel enforces each of them,
 * wherever on the way up it is set. Version 1 and 2, also side by side, and as far as a container shows them.
 */
export function groupLimits(read: ReadText): GroupLimits {
  const groups = groupDirectories(read)
  const memory = groups.flatMap((directories) => memoryLimits(directories, read))
  const cpus = groups.flatMap((directories) => cpuLimits(directories, read))
  const cpusets = groups.map((directories) => cpusetOf(directories, read)).filter((cpuset) => cpuset !== undefined)
  return { memory, cpus, cpuset: cpusets.length === 0 ? undefined : Math.min(...cpusets) }
}

/**
 * The directories of each hierarchy, from this process's own group to the top of what can be seen.
 *
 * @param controller of version 1, only the hierarchy of this one. @default all
 */
export function groupDirectories(read: ReadText, controller?: string): readonly (readonly string[])[] {
  const mounts = parseMounts(read('/proc/self/mountinfo') ?? '')
  const lines = (read('/proc/self/cgroup') ?? '').split('\n')
  return lines.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) return []
    if (controller !== undefined && controllers !== '' && !controllers.split(',').includes(controller)) return []
    const ofThis = mounts.filter(({ kind, options }) =>
      controllers === ''
        ? kind === 'cgroup2'
        : kind === 'cgroup' && controllers.split(',').some((name) => options.includes(name)),
    )
    const found = ofThis.map((mount) => directoriesBelow(mount, path)).sort((a, b) => b.length - a.length)
    return found.slice(0, 1)
  })
}

interface Mount {
  readonly kind: string
  /** Which part of the hierarchy is mounted. */
  readonly root: string
  readonly point: string
  readonly options: readonly string[]
}

/** The control groups among the mounts of /proc/self/mountinfo (proc(5)). */
function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root, point] = before.split(' ')
    const [kind = '', , options = ''] = after.split(' ')
    if (!kind.startsWith('cgroup') || root === undefined || point === undefined) return []
    return [{ kind, root: unescape(root), point: unescape(point), options: options.split(',') }]
  })
}

/** Blanks and the like are octal numbers there. */
function unescape(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** Where a container shows another part of the hierarchy than ours, the top of that is all that can be looked at. */
function directoriesBelow({ root, point }: Mount, path: string): readonly string[] {
  const [top, own] = [root, path].map((each) => each.split('/').filter((part) => part !== ''))
  const isBelow = top?.every((part, i) => own?.[i] === part) === true
  const below = isBelow ? (own?.slice(top.length) ?? []) : []
  const names = below.includes('..') ? [] : below
  const base = point === '/' ? '' : point
  return Array.from({ length: names.length + 1 }, (_, up) => [base, ...names.slice(0, names.length - up)].join('/'))
}

/** Slurm's group of one task: the groups of step and job above it are for all of their tasks. */
function isOfOneTask(directory: string): boolean {
  return /\/step_[^/]+(?:\/user)?\/task_\d+$/.test(directory)
}

const memoryFiles = ['memory.max', 'memory.high', 'memory.limit_in_bytes'] as const

function memoryLimits(directories: readonly string[], read: ReadText): readonly GroupLimit[] {
  const found = directories.flatMap((directory) =>
    memoryFiles.flatMap((name) => limit(directory, name, readBytes(read(`${directory}/${name}`)))),
  )
  // Version 1 tells also of groups above that cannot be seen from inside of a container.
  const [own = ''] = directories
  const [, hierarchical] = /^hierarchical_memory_limit (\d+)$/m.exec(read(`${own}/memory.stat`) ?? '') ?? []
  const above = limit(own, 'memory.stat', readBytes(hierarchical)).map((each) => ({ ...each, isOwn: false }))
  return [...found, ...above.filter(({ amount }) => found.every((each) => each.amount > amount))]
}

function cpuLimits(directories: readonly string[], read: ReadText): readonly GroupLimit[] {
  return directories.flatMap((directory) => {
    const [quota, period] = (read(`${directory}/cpu.max`) ?? '').trim().split(' ').map(readBytes)
    if (quota !== undefined && period !== undefined) return limit(directory, 'cpu.max', quota / period)
    const [quota1, period1] = ['quota', 'period'].map((name) => readBytes(read(`${directory}/cpu.cfs_${name}_us`)))
    return quota1 === undefined || period1 === undefined ? [] : limit(directory, 'cpu.cfs_quota_us', quota1 / period1)
  })
}

function cpusetOf(directories: readonly string[], read: ReadText): number | undefined {
  const files = ['cpuset.cpus.effective', 'cpuset.effective_cpus', 'cpuset.cpus']
  return directories
    .filter((directory) => !isOfOneTask(directory))
    .flatMap((directory) => files.map((name) => countCpus(read(`${directory}/${name}`) ?? '')))
    .find((count) => count > 0)
}

function limit(directory: string, name: string, amount: number | undefined): readonly GroupLimit[] {
  return amount === undefined ? [] : [{ amount, file: `${directory}/${name}`, isOwn: isOfOneTask(directory) }]
}

/** Version 1 has a number near the end of 64 bits for no limit, version 2 the word `max`. A limit of 0 runs nothing. */
export function readBytes(text: string | undefined): number | undefined {
  const amount = /^\d+$/.test(text?.trim() ?? '') ? Number(text) : 0
  return amount > 0 && amount < 2 ** 62 ? amount : undefined
}

/** Number of CPUs in a list such as `0-3,8`. */
export function countCpus(list: string): number {
  return list
    .trim()
    .split(',')
    .map((range) => /^(\d+)(?:-(\d+))?$/.exec(range))
    .reduce((sum, found) => sum + (found === null ? 0 : Number(found[2] ?? found[1]) - Number(found[1]) + 1), 0)
}
