import { readListed } from '../filesystem/list.ts'
import { removeFile } from '../filesystem/known-files.ts'
import { UntrustedError } from '../filesystem/untrusted.ts'
import { parseSchedulerFile } from '../record/parse.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import { cannotPublish, refusal } from './cannot-publish.ts'
import type { Judgement, Predecessor } from './judgement.ts'
import type { RendezvousPaths } from './names.ts'

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
  await removeFile(paths.schedulerFile)
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

async function readTarget({ directory, base, schedulerFile }: RendezvousPaths): Promise<string | undefined> {
  try {
    return await readListed(directory, base)
  } catch (error) {
    throw error instanceof UntrustedError
      ? refusal(schedulerFile, `what stands there is left alone: ${error.message}; name another path`)
      : cannotPublish(schedulerFile, error)
  }
}
