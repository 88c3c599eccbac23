import { lstat, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { defaults } from '../defaults.ts'
import { listDirectory } from '../filesystem/list.ts'
import { PrivateDirectory } from '../filesystem/private-directory.ts'
import { removeFile, removeKnownFiles } from '../filesystem/known-files.ts'
import { isTemporaryName } from '../filesystem/temporary-name.ts'
import { ownUid } from '../filesystem/user.ts'
import type { Owner } from '../record/owner.ts'
import type { Judgement } from './judgement.ts'
import { departureName, outcomeName, runKeyOf } from './names.ts'
import { presenceName } from './presence.ts'
import { noteName, ownerOfDirectory, readOutcome, runFiles } from './run-directory.ts'

/**
 * Removes what runs of this user that did not end in order have left beside the scheduler file: temporary
 * files, and directories of runs that are gone; and says so. The caller holds the claim. What cannot be judged
 * or removed stays, without an error.
 */
export async function clearLeftovers(judgement: Judgement): Promise<void> {
  const { paths } = judgement
  const names = await listDirectory(paths.directory).catch((): string[] => [])
  await Promise.all(
    names.map(async (name) => {
      const runKey = runKeyOf(name, paths.base)
      if (isTemporaryName(name, paths.base) || isTemporaryName(name, paths.claimName))
        await clearTemporary(name, judgement).catch(() => undefined)
      else if (runKey !== undefined && name !== paths.runDirectoryName)
        await clearRunDirectory(new PrivateDirectory(join(paths.directory, name)), runKey, judgement).catch(
          () => undefined,
        )
    }),
  )
}

async function clearTemporary(name: string, { paths, logger }: Judgement): Promise<void> {
  const path = join(paths.directory, name)
  const found = await lstat(path)
  if (!found.isFile() || found.uid !== ownUid()) return
  await removeFile(path)
  logger.warn(`Removed "${path}", left by a run that was killed`)
}

async function clearRunDirectory(directory: PrivateDirectory, runKey: string, judgement: Judgement): Promise<void> {
  const names = await directory.list()
  // What tells of an end is for processes that come late, so it stays as long as these may come.
  const aged =
    names.every((name) => departureName.test(name) || presenceName.test(name)) ||
    names.includes(outcomeName) ||
    names.some((name) => noteName.test(name))
  if (aged && !(await isOld(directory))) return
  const owner = await ownerIn(directory)
  if (owner !== undefined && owner.run_key !== runKey) return
  if (!aged && owner === undefined) return
  if (owner !== undefined && !(await isGone(owner, judgement))) return
  const removed = await removeKnownFiles(directory, runFiles)
  const hasGone = await directory.removeIfEmpty()
  if (removed.length === 0) return
  const what = hasGone ? `"${directory.path}"` : `${removed.toSorted().join(', ')} from "${directory.path}"`
  judgement.logger.warn(`Removed ${what}, left by run ${runKey}, which is gone`)
}

async function isOld(directory: PrivateDirectory): Promise<boolean> {
  const { mtimeMs } = await directory.use(async (at) => await stat(at))
  return Date.now() - mtimeMs > 2 * defaults.rendezvousTimeout
}

async function ownerIn(directory: PrivateDirectory): Promise<Owner | undefined> {
  const owner = await ownerOfDirectory(directory)
  if (owner !== undefined) return owner
  const outcome = await directory.read(outcomeName)
  return outcome === undefined ? undefined : readOutcome(outcome)?.cluster
}

async function isGone(owner: Owner, { ask, isOver }: Judgement): Promise<boolean> {
  const answer = await ask(owner)
  return answer === 'gone' || (answer === 'unreachable' && isOver(owner.run_key))
}
