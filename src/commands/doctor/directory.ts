import { randomBytes } from 'node:crypto'
import { open, rename, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errnoOf, RunnerError } from '../../errors.ts'
import { listDirectory } from '../../filesystem/list.ts'
import type { PrivateDirectory } from '../../filesystem/private-directory.ts'
import { type FileForms, refuseOtherFiles, removeFile } from '../../filesystem/known-files.ts'
import { readOwn } from '../../filesystem/read-own.ts'
import { stickyBit } from '../../filesystem/sticky.ts'
import { formatSystemError } from '../../filesystem/system-error.ts'
import { UntrustedError, formatUser, ownUid } from '../../filesystem/untrusted.ts'
import type { WatchMode } from '../../options.ts'
import { formatDuration } from '../../util/duration.ts'
import { monotonic } from '../../util/monotonic.ts'
import { type Filesystem, filesystemOf } from './filesystem.ts'
import { about, type Finding } from './finding.ts'
import { formatBytes } from '../../util/format.ts'

const { ok, note, warning } = about('directory')

/** What was tried where the scheduler file would stand. */
export interface DirectoryFacts {
  /** Directory of the scheduler file. */
  readonly wanted: string
  /** That directory, or the one above it that exists. */
  readonly existing: string
  readonly filesystem: Filesystem
  /** How long a publication took, in milliseconds. */
  readonly tookMs: number
  /** Who else can write there. */
  readonly others: Others
}

/** Who besides this user can write in a directory. */
export interface Others {
  /** As far as its mode tells. */
  readonly who: 'nobody' | 'group' | 'everybody'
  /** Whether only the owner of a file may remove it there, as in /tmp. */
  readonly isSticky: boolean
  /** Whose directory it is, in words; undefined where it is this user's or root's. */
  readonly owner: string | undefined
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

/**
 * Makes our directory; that another process of the job has made it is fine.
 *
 * @param forms what may be in it
 * @throws RunnerError ERR_CANNOT_PUBLISH, also where something of somebody else's is in its place.
 */
export async function makeDoctorDirectory(own: PrivateDirectory, forms: FileForms): Promise<void> {
  const { path } = own
  try {
    if (await own.make()) {
      await refuseOtherFiles(own, forms)
      return
    }
  } catch (error) {
    if (!(error instanceof UntrustedError)) throw cannotWrite(dirname(path), error)
    throw new RunnerError(`Cannot use "${path}": ${error.message}; have it removed, or name another scheduler file`, {
      code: 'ERR_CANNOT_PUBLISH',
      cause: error,
    })
  }
  throw cannotWrite(dirname(path), new Error('it was removed meanwhile'))
}

/** What stands in the files that {@link tryDirectory} makes, so that they are known as ours. */
export const tryText = 'dask-hpc-runner doctor was here\n'
/** Their names. */
export const tryName = /^try-\d+\.[0-9a-f]{12}(\.tmp)?$/

/**
 * Publishes a file in `own`, our directory, as a run does, and removes it.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH with the step that failed.
 */
export async function tryDirectory(own: PrivateDirectory, wanted: string, rank: number): Promise<DirectoryFacts> {
  const existing = dirname(own.path)
  const name = `try-${rank}.${randomBytes(6).toString('hex')}`
  let step = 'create'
  const attempt = async (at: string): Promise<void> => {
    const [first, second] = [join(at, `${name}.tmp`), join(at, name)]
    try {
      const handle = await open(first, 'wx', 0o600)
      try {
        step = 'write'
        await handle.writeFile(tryText)
        step = 'sync'
        await handle.sync()
      } finally {
        await handle.close()
      }
      step = 'rename'
      await rename(first, second)
      step = 'list'
      await expectListed(at, name)
      step = 'read'
      await readOwn(second)
    } finally {
      await Promise.all([removeFile(first), removeFile(second)])
    }
  }
  const began = monotonic()
  try {
    await own.use(attempt)
  } catch (error) {
    throw cannotWrite(existing, error, step)
  }
  const tookMs = monotonic() - began
  return { wanted, existing, filesystem: await filesystemOf(existing), tookMs, others: await lookAtOthers(existing) }
}

async function expectListed(directory: string, name: string): Promise<void> {
  if (!(await listDirectory(directory)).includes(name)) throw new Error('a file that was put there is not listed')
}

/** The error that says why nothing can be put beside the scheduler file. */
export function cannotWrite(path: string, error: unknown, step?: string): RunnerError {
  if (error instanceof RunnerError) return error
  const at = step === undefined ? '' : ` (at: ${step})`
  return new RunnerError(
    `Cannot publish a file in "${path}": ${formatSystemError(error)}${at}; name a scheduler file elsewhere by --scheduler-file`,
    { code: 'ERR_CANNOT_PUBLISH', cause: error },
  )
}

async function lookAtOthers(path: string): Promise<Others> {
  const { mode, uid } = await stat(path)
  return {
    who: (mode & 0o002) !== 0 ? 'everybody' : (mode & 0o020) !== 0 ? 'group' : 'nobody',
    isSticky: (mode & stickyBit) !== 0,
    owner: uid === 0 || uid === ownUid() ? undefined : await formatUser(uid),
  }
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
export function checkDirectory(facts: DirectoryFacts, { watch, nodes }: WantedDirectory): Finding[] {
  const { wanted, existing, filesystem, tookMs, others } = facts
  const { kind, local, free } = filesystem
  const took = formatDuration(tookMs)
  const where = `"${existing}" (${kind}, ${local ? 'a local kind' : 'of a network, or unknown'})`
  const findings = [ok(`${where} has ${formatBytes(free)} of room; publishing there took ${took}`)]
  if (tookMs > slow) findings.push(warning(`publishing in "${existing}" is slow: it took ${took}`))
  if (wanted !== existing) findings.push(note(`"${wanted}" is missing; a run makes it`))
  if (local && nodes === undefined)
    findings.push(
      note(
        `${where} is this host's own, as far as is known`,
        'for a job of several nodes, name a scheduler file in a directory that all nodes share',
      ),
    )
  if (!local && watch === 'events')
    findings.push(note('it is polled, in spite of --watch events: the kernel tells nothing of other hosts'))
  return [...findings, ...checkOthers(existing, others)]
}

/** What it means that others can write beside the scheduler file. */
function checkOthers(existing: string, { who, isSticky, owner }: Others): Finding[] {
  const advice = 'name a scheduler file in a directory in which only you can write'
  const blocks = 'put something in the place of a run, which then does not start'
  const removes = "move or remove a run's files, which it then does without"
  const say = (text: string): Finding => note(text, advice)
  const notes: Finding[] = []
  if (who !== 'nobody')
    notes.push(
      say(
        `${who === 'group' ? 'its group' : 'everybody on this machine'} can write in "${existing}", and so ` +
          (isSticky ? blocks : `${blocks}, or ${removes}`),
      ),
    )
  if (owner !== undefined) notes.push(say(`"${existing}" belongs to ${owner}, who can ${removes}`))
  return notes
}
