import { lstat, readFile } from 'node:fs/promises'
import { parseSchedulerFile } from '../record/parse.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import { cannotPublish, refusal } from './cannot-publish.ts'
import type { Judgement, Predecessor } from './judgement.ts'
import { listDirectory } from './list.ts'
import type { RendezvousPaths } from './names.ts'
import { remove } from './remove.ts'

/** No scheduler file comes near this size; a larger file is not even read. */
const largest = 16 * 1024 * 1024

/**
 * The text of the stale file at the scheduler file's path, which may be replaced, or undefined where
 * nothing stands there.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH where what stands there is to be left alone.
 */
export async function standsInTheWay(
  predecessor: Predecessor | undefined,
  judgement: Judgement,
): Promise<string | undefined> {
  const { paths, logger } = judgement
  const text = await readTarget(paths)
  if (text === undefined) return undefined
  const parsed = parseSchedulerFile(text)
  switch (parsed.kind) {
    case 'empty':
    case 'truncated':
      logger.warn(`Replacing "${paths.schedulerFile}", an ${parsed.kind === 'empty' ? 'empty' : 'incomplete'} file`)
      return text
    case 'foreign':
      throw refusal(paths.schedulerFile, `a file that is not ours stands there: ${parsed.why}; name another path`)
    case 'valid':
      await throwUnlessStale(parsed.file, predecessor, judgement)
      return text
  }
}

/** Removes the file that was found to be stale, unless it has changed since. */
export async function removeStale(paths: RendezvousPaths, text: string): Promise<void> {
  const now = await readTarget(paths)
  if (now === undefined) return
  if (now !== text)
    throw refusal(paths.schedulerFile, 'another program is writing it at this moment; name another path')
  await remove(paths.directory, paths.base)
}

/** Whose file stands at the scheduler file's path: nobody's, the run's of that nonce, or another's. */
export async function whoseTarget(paths: RendezvousPaths, nonce: string): Promise<'none' | 'ours' | 'other'> {
  const text = await readTarget(paths)
  if (text === undefined) return 'none'
  const parsed = parseSchedulerFile(text)
  return parsed.kind === 'valid' && parsed.file.dask_hpc_runner?.nonce === nonce ? 'ours' : 'other'
}

async function throwUnlessStale(
  file: SchedulerFile,
  predecessor: Predecessor | undefined,
  { paths, logger, askScheduler }: Judgement,
): Promise<void> {
  const answer = await askScheduler(file)
  if (answer === 'answers' || answer === 'silent')
    throw refusal(
      paths.schedulerFile,
      `the Dask scheduler that it names ${answer === 'answers' ? 'answers' : 'accepts connections, and is busy or frozen,'} at ${file.address}; end that one or name another path`,
    )
  const abandoned = predecessor?.how === 'abandoned' && predecessor.owner.nonce === file.dask_hpc_runner?.nonce
  if (answer === 'unreachable' && !abandoned)
    throw refusal(
      paths.schedulerFile,
      `the Dask scheduler that it names cannot be reached at ${file.address}; if that one is over, remove the file`,
    )
  logger.warn(
    `Replacing "${paths.schedulerFile}", whose scheduler at ${file.address} is gone${answer === 'other' ? ': something else answers there' : ''}`,
  )
}

async function readTarget(paths: RendezvousPaths): Promise<string | undefined> {
  const path = paths.schedulerFile
  try {
    if (!(await listDirectory(paths.directory)).includes(paths.base)) return undefined
    const found = await lstat(path)
    if (found.isDirectory()) throw refusal(path, 'a directory is in its place; name another path')
    if (!found.isFile()) throw refusal(path, 'what stands there is not a regular file; name another path')
    if (found.size > largest) throw refusal(path, 'a large file that is not ours stands there; name another path')
    return await readFile(path, 'utf8')
  } catch (error) {
    throw cannotPublish(path, error)
  }
}
