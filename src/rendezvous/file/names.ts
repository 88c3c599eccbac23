import { basename, dirname, join } from 'node:path'

/** Where everything about one scheduler file and one run of it stands. */
export interface RendezvousPaths {
  /** The public path, which any Dask reads. */
  readonly schedulerFile: string
  /** The directory of the scheduler file. */
  readonly directory: string
  /** The scheduler file's name within it. */
  readonly base: string
  /** The directory that `proper-lockfile` makes while what is stale is replaced. */
  readonly lock: string
  /** The run's own directory. */
  readonly runDirectory: string
  /** Made by the first of the processes that tell that rank 0 has ended, if its deputy may be lost, too. */
  readonly lost: string
  /** Where rank 0 listens. */
  readonly coordinator: string
}

/** Names of the files of rank 0 in a run's own directory. */
export const coordinatorName = 'coordinator.json'
export const outcomeName = 'outcome.json'

/** Made by the first of the processes that end because rank 0 is not to be had: that one tells the user. */
export const toldName = 'told.json'

/** Name of the file of a process that ended before it had joined; rank 0 leaves an outcome instead, unless it is killed. */
export const exitedPattern = /^exited-(0|[1-9]\d*)\.json$/

/** `exited-3.json` */
export function exitedName(rank: number): string {
  return `exited-${rank}.json`
}

/**
 * Name of the empty file that a host's processes leave on a filesystem of a local kind where they wait for long, or
 * cannot connect to rank 0: `waits-node1`.
 */
export const waitsPattern = /^waits-([A-Za-z0-9._-]+)$/

/** `waits-node1` */
export function waitsName(node: string): string {
  return `waits-${node.replace(/[^A-Za-z0-9._-]/g, '_')}`
}

/** Whether processes of other nodes than `node` have left such a file, by the `names` in the run's directory. */
export function othersWait(names: readonly string[], node: string): boolean {
  return names.some((name) => waitsPattern.test(name) && name !== waitsName(node))
}

/** What the reaper of rank 0 leaves, empty, where rank 0 is killed. */
export const killedName = exitedName(0)

/** The paths that belong to an absolute scheduler file path and a run key. */
export function rendezvousPaths(schedulerFile: string, runKey: string): RendezvousPaths {
  const directory = dirname(schedulerFile)
  const base = basename(schedulerFile)
  const runDirectory = join(directory, `.${base}.run-${runKey}`)
  return {
    schedulerFile,
    directory,
    base,
    lock: join(directory, `.${base}.lock`),
    runDirectory,
    lost: `${runDirectory}-lost`,
    coordinator: join(runDirectory, coordinatorName),
  }
}

/** The run key in the name of a run's directory beside `base`, or undefined for any other name. */
export function runKeyOf(name: string, base: string): string | undefined {
  const prefix = `.${base}.run-`
  return name.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : undefined
}
