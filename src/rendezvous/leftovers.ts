import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { defaults } from '../defaults.ts'
import type { Owner } from '../record/owner.ts'
import type { Judgement } from './judgement.ts'
import { listDirectory } from './list.ts'
import { departureName, isTemporaryName, outcomeName, runKeyOf } from './names.ts'
import { newsPortName } from './news-port.ts'
import { presenceName } from './presence.ts'
import { remove, removeIfEmpty } from './remove.ts'
import { emptyRunDirectory, noteName, ownerOfDirectory, readIfThere, readOutcome } from './run-directory.ts'

/**
 * Removes what runs that did not end in order have left beside the scheduler file: temporary files,
 * and directories of runs that are gone. The caller holds the claim. What cannot be judged or
 * removed stays, without an error.
 */
export async function clearLeftovers(judgement: Judgement): Promise<void> {
  const { paths } = judgement
  const names = await listDirectory(paths.directory).catch((): string[] => [])
  await Promise.all(
    names.map(async (name) => {
      const runKey = runKeyOf(name, paths.base)
      if (isTemporaryName(name, paths.base) || isTemporaryName(name, paths.claimName))
        await remove(paths.directory, name).catch(() => undefined)
      else if (runKey !== undefined && name !== paths.runDirectoryName)
        await clearRunDirectory(join(paths.directory, name), runKey, judgement).catch(() => undefined)
    }),
  )
}

async function clearRunDirectory(directory: string, runKey: string, judgement: Judgement): Promise<void> {
  const names = await listDirectory(directory)
  // What tells of an end is for processes that come late, so it stays as long as these may come.
  const aged =
    names.every((name) => departureName.test(name) || presenceName.test(name) || newsPortName.test(name)) ||
    names.includes(outcomeName) ||
    names.some((name) => noteName.test(name))
  if (aged && !(await isOld(directory))) return
  const owner = await ownerIn(directory)
  if (owner !== undefined && owner.run_key !== runKey) return
  if (!aged && owner === undefined) return
  if (owner !== undefined && !(await isGone(owner, judgement))) return
  await emptyRunDirectory(directory, () => false)
  await removeIfEmpty(directory)
  if (names.length > 0) judgement.logger.warn(`Removed "${directory}", left by run ${runKey}, which is gone`)
}

async function isOld(directory: string): Promise<boolean> {
  return Date.now() - (await stat(directory)).mtimeMs > 2 * defaults.rendezvousTimeout
}

async function ownerIn(directory: string): Promise<Owner | undefined> {
  const owner = await ownerOfDirectory(directory)
  if (owner !== undefined) return owner
  const outcome = await readIfThere(join(directory, outcomeName))
  return outcome === undefined ? undefined : readOutcome(outcome)?.cluster
}

async function isGone(owner: Owner, { ask, isOver }: Judgement): Promise<boolean> {
  const answer = await ask(owner)
  return answer === 'gone' || (answer === 'unreachable' && isOver(owner.run_key))
}
