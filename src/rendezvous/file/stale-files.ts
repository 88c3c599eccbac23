import { lstat, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { defaults } from '../../defaults.ts'
import { listDirectory } from '../../filesystem/list.ts'
import { PrivateDirectory } from '../../filesystem/private-directory.ts'
import { removeFile, removeKnownFiles } from '../../filesystem/known-files.ts'
import { isTemporaryName } from '../../filesystem/temporary-name.ts'
import { ownUid } from '../../filesystem/untrusted.ts'
import type { Logger } from '../../logger.ts'
import type { Owner } from '../../record/cluster-record.ts'
import { exitedPattern, outcomeName, type RendezvousPaths, runKeyOf, waitsPattern } from './names.ts'
import type { PathQuestions } from './path-state.ts'
import { coordinatorIn, readOutcome, runFiles } from './run-directory.ts'

/** What it takes to clear. */
export interface ClearOptions {
  readonly paths: RendezvousPaths
  readonly questions: PathQuestions
  readonly logger: Logger
}

/**
 * Removes what runs of this user that did not end in order have left beside the scheduler file: temporary
 * files of long ago, and directories of runs that are gone; and says so. What cannot be judged or removed stays,
 * without an error.
 */
export async function clearStaleFiles(options: ClearOptions): Promise<void> {
  const { paths } = options
  const names = await listDirectory(paths.directory).catch((): string[] => [])
  const ofRuns = names.filter(
    (name) =>
      isTemporaryName(name, paths.base) ||
      (runKeyOf(name, paths.base) !== undefined && join(paths.directory, name) !== paths.runDirectory),
  )
  await Promise.all(ofRuns.slice(0, most).map(async (name) => await clear(name, options).catch(() => undefined)))
}

/** Whoever may write in that directory can make such names without end: of more than so many the rest stays. */
const most = 256

async function clear(name: string, options: ClearOptions): Promise<void> {
  const { paths } = options
  const path = join(paths.directory, name)
  if ((await lstat(path)).uid !== ownUid()) return
  const runKey = runKeyOf(name, paths.base)
  if (runKey === undefined) await clearTemporary(name, options)
  else await clearRunDirectory(new PrivateDirectory(path), runKey, options)
}

async function clearTemporary(name: string, { paths, logger }: ClearOptions): Promise<void> {
  const path = join(paths.directory, name)
  const found = await lstat(path)
  // A run that lives may be publishing at this moment.
  if (!found.isFile() || found.uid !== ownUid() || !isOld(found)) return
  await removeFile(path)
  logger.warn(`Removed "${path}", left by a run that was killed`)
}

async function clearRunDirectory(directory: PrivateDirectory, runKey: string, options: ClearOptions): Promise<void> {
  const names = await directory.list()
  // What tells of an end is for processes that come late, so it stays as long as these may come.
  const aged = names.every((name) => exitedPattern.test(name) || waitsPattern.test(name)) || names.includes(outcomeName)
  if (aged && !isOld(await directory.use(async (at) => await stat(at)))) return
  const owner = await ownerIn(directory)
  if (owner !== undefined && owner.run_key !== runKey) return
  if (!aged && owner === undefined) return
  if (owner !== undefined && !(await isGone(owner, options.questions))) return
  const removed = await removeKnownFiles(directory, runFiles)
  const hasGone = await directory.removeIfEmpty()
  if (removed.length === 0) return
  const what = hasGone ? `"${directory.path}"` : `${removed.toSorted().join(', ')} from "${directory.path}"`
  options.logger.warn(`Removed ${what}, left by run ${runKey}, which is gone`)
}

function isOld({ mtimeMs }: { readonly mtimeMs: number }): boolean {
  return Date.now() - mtimeMs > 2 * defaults.rendezvousTimeout
}

async function ownerIn(directory: PrivateDirectory): Promise<Owner | undefined> {
  const owner = await coordinatorIn(directory)
  if (owner !== undefined) return owner
  const outcome = await directory.read(outcomeName)
  return outcome === undefined ? undefined : readOutcome(outcome)?.cluster
}

async function isGone(owner: Owner, { ask, isOver }: PathQuestions): Promise<boolean> {
  const answer = await ask(owner)
  return answer === 'gone' || (answer === 'unreachable' && isOver(owner.run_key))
}
