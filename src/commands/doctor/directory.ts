import { lstat, mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errnoOf, RunnerError } from '../../errors.ts'
import type { WatchMode } from '../../options.ts'
import { saySystemError } from '../../rendezvous/cannot-publish.ts'
import { listDirectory } from '../../rendezvous/list.ts'
import { remove } from '../../rendezvous/remove.ts'
import { sayDuration } from '../../util/duration.ts'
import { monotonic } from '../../util/monotonic.ts'
import { type Filesystem, filesystemOf } from './filesystem.ts'
import { type Finding, found } from './finding.ts'
import { sayBytes } from './say.ts'

/** What was tried where the scheduler file would stand. */
export interface DirectoryFacts {
  /** Directory of the scheduler file. */
  readonly wanted: string
  /** That directory, or the one above it that exists. */
  readonly existing: string
  readonly filesystem: Filesystem
  /** How long each step of a publication took, in milliseconds. */
  readonly steps: readonly (readonly [what: string, ms: number])[]
}

/** Our own directory beside the scheduler file: no run's, and no other doctor's. */
export function doctorDirectory(existing: string, schedulerFile: string, key: string): string {
  return join(existing, `.${basename(schedulerFile)}.doctor-${key}`)
}

/**
 * The directory itself, or the nearest one above it that exists: a run makes what is missing.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH where it cannot be looked at.
 */
export async function existingDirectory(path: string): Promise<string> {
  try {
    if ((await stat(path)).isDirectory()) return path
    throw new RunnerError(`"${path}" is no directory`, { code: 'ERR_CANNOT_PUBLISH' })
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw cannotWrite(path, error)
  }
  return await existingDirectory(dirname(path))
}

/** Makes our directory; that another process of the job has made it is fine. */
export async function makeDoctorDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw cannotWrite(dirname(path), error)
    if (!(await lstat(path)).isDirectory()) throw cannotWrite(dirname(path), new Error(`"${path}" is no directory`))
  }
}

/**
 * Publishes a file in `own`, our directory, as a run does, and removes it.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH with the step that failed.
 */
export async function tryDirectory(own: string, wanted: string, who: string): Promise<DirectoryFacts> {
  const [first, second] = [`try-${who}.tmp`, `try-${who}`]
  const steps: (readonly [string, number])[] = []
  const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const began = monotonic()
    try {
      return await work()
    } catch (error) {
      throw cannotWrite(dirname(own), error, what)
    } finally {
      steps.push([what, monotonic() - began])
    }
  }
  try {
    const handle = await step('create', async () => await open(join(own, first), 'wx', 0o600))
    try {
      await step('write', async () => await handle.writeFile(who))
      await step('sync', async () => await handle.sync())
    } finally {
      await handle.close()
    }
    await step('rename', async () => await rename(join(own, first), join(own, second)))
    await step('list', async () => await expectListed(own, second))
    await step('read', async () => await readFile(join(own, second), 'utf8'))
  } finally {
    await step('remove', async () => {
      await Promise.all([remove(own, first), remove(own, second)])
    })
  }
  const existing = dirname(own)
  return { wanted, existing, filesystem: await filesystemOf(existing), steps }
}

async function expectListed(directory: string, name: string): Promise<void> {
  if (!(await listDirectory(directory)).includes(name)) throw new Error('a file that was put there is not listed')
}

function cannotWrite(path: string, error: unknown, step?: string): RunnerError {
  if (error instanceof RunnerError) return error
  const at = step === undefined ? '' : ` (at: ${step})`
  return new RunnerError(
    `Cannot publish a file in "${path}": ${saySystemError(error)}${at}; name a scheduler file elsewhere by --scheduler-file`,
    { code: 'ERR_CANNOT_PUBLISH', cause: error },
  )
}

/** A publication that takes longer makes a run wait. In milliseconds. */
const slow = 1_000

/** What the run wants of the directory. */
export interface WantedDirectory {
  readonly watch: WatchMode
  /** Nodes of the run, where they are known. */
  readonly nodes: number | undefined
}

/** Judges where the scheduler file would stand. */
export function judgeDirectory(facts: DirectoryFacts, { watch, nodes }: WantedDirectory): Finding[] {
  const { wanted, existing, filesystem, steps } = facts
  const { kind, local, free } = filesystem
  const total = steps.reduce((sum, [, ms]) => sum + ms, 0)
  const told = steps.map(([what, ms]) => `${what} ${sayDuration(ms)}`).join(', ')
  const where = `"${existing}" (${kind}, ${local ? 'a local kind' : 'of a network, or unknown'})`
  const findings = [
    found('ok', 'directory', `${where} has ${sayBytes(free)} of room; publishing there took ${sayDuration(total)}`),
  ]
  if (total > slow) findings.push(found('warning', 'directory', `publishing in "${existing}" is slow: ${told}`))
  if (wanted !== existing) findings.push(found('note', 'directory', `"${wanted}" is missing; a run makes it`))
  if (local && nodes === undefined)
    findings.push(
      found(
        'note',
        'directory',
        `${where} is this host's own, as far as is known`,
        'for a job of several nodes, name a scheduler file in a directory that all nodes share',
      ),
    )
  if (!local && watch === 'events')
    findings.push(
      found('note', 'directory', 'it is polled, in spite of --watch events: the kernel tells nothing of other hosts'),
    )
  return findings
}
