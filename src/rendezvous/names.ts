import { basename, dirname, join } from 'node:path'

/** Where everything about one scheduler file and one run of it stands. */
export interface RendezvousPaths {
  /** The public path, which any Dask reads. */
  readonly schedulerFile: string
  /** The directory of the scheduler file. */
  readonly directory: string
  /** The scheduler file's name within it. */
  readonly base: string
  /** Name of the file that says who holds the public path. */
  readonly claimName: string
  readonly claim: string
  /** The directory that `proper-lockfile` makes while a claim changes hands. */
  readonly lock: string
  /** The run's own directory. */
  readonly runDirectory: string
  readonly runDirectoryName: string
  /** Where process 0 can be reached, before there is a cluster. */
  readonly gatherer: string
  readonly record: string
  readonly outcome: string
}

/** Names of the files in a run's own directory. */
export const gathererName = 'process-0.json'
export const recordName = 'record.json'
export const outcomeName = 'outcome.json'

/** Name of the file that a process leaves which ended before it had joined: `gone-3`. */
export const departureName = /^gone-(\d+)$/

/** The paths that belong to an absolute scheduler file path and a run key. */
export function rendezvousPaths(schedulerFile: string, runKey: string): RendezvousPaths {
  const directory = dirname(schedulerFile)
  const base = basename(schedulerFile)
  const runDirectoryName = `.${base}.run-${runKey}`
  const runDirectory = join(directory, runDirectoryName)
  return {
    schedulerFile,
    directory,
    base,
    claimName: claimNameOf(base),
    claim: join(directory, claimNameOf(base)),
    lock: join(directory, `.${base}.lock`),
    runDirectory,
    runDirectoryName,
    gatherer: join(runDirectory, gathererName),
    record: join(runDirectory, recordName),
    outcome: join(runDirectory, outcomeName),
  }
}

/** Name of the file beside the scheduler file `base` that says which run holds the path. */
export function claimNameOf(base: string): string {
  return `.${base}.owner`
}

/** The run key in the name of a run's directory beside `base`, or undefined for any other name. */
export function runKeyOf(name: string, base: string): string | undefined {
  const prefix = `.${base}.run-`
  return name.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : undefined
}
