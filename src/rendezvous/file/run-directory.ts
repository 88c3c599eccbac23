import { dirname } from 'node:path'
import type { PrivateDirectory } from '../../filesystem/private-directory.ts'
import { makeDirectories } from '../../filesystem/make-directories.ts'
import { type FileForms, removeFile } from '../../filesystem/known-files.ts'
import { isTemporaryName } from '../../filesystem/temporary-name.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import type { OutcomeRecord } from '../../record/outcome-record.ts'
import { clusterRecordSchema, outcomeRecordSchema, parseAs } from '../../record/schemas.ts'
import type { DirectoryKeeper } from '../../util/own-directory.ts'
import { cannotPublish, refusal } from './cannot-publish.ts'
import { parseEarlyExit } from './early-exits.ts'
import { coordinatorName, exitedPattern, outcomeName, toldName, waitsPattern } from './names.ts'
import { type PathQuestions, type PathState, stateOfOwner } from './path-state.ts'
import type { PublishPlace } from './publish.ts'

/**
 * Makes a run's own directory, with what directories above it are missing; that it exists is fine.
 *
 * @param keeper removes it at the end of this process. @default it stays
 * @throws RunnerError ERR_CANNOT_PUBLISH, with the path and the cause in words.
 */
export async function makeRunDirectory(directory: PrivateDirectory, keeper?: DirectoryKeeper): Promise<void> {
  const { path } = directory
  try {
    if (await directory.make(keeper)) return
    await makeDirectories(dirname(path))
    if (await directory.make(keeper)) return
    throw refusal(path, 'its directory is being removed while the run starts')
  } catch (error) {
    throw cannotPublish(path, error)
  }
}

/** Where rank 0 listens, by `text`, or undefined where that does not say so (yet). */
export function readCoordinator(text: string): ClusterRecord | undefined {
  return parseAs(clusterRecordSchema, text)
}

/** The outcome in `text`, or undefined where it is none (yet). */
export function readOutcome(text: string): OutcomeRecord | undefined {
  return parseAs(outcomeRecordSchema, text)
}

/** The files that a run makes in its directory. */
export const runFiles: FileForms = {
  parserOf: (name) => (exitedPattern.test(name) ? parseEarlyExit : parsers.get(name)),
  isEmpty: (name) => waitsPattern.test(name),
  isTemporary: (name) => {
    const [, base = ''] = /^\.(.+\.json)\./.exec(name) ?? []
    return (parsers.has(base) || exitedPattern.test(base)) && isTemporaryName(name, base)
  },
}

const parsers: ReadonlyMap<string, (text: string) => unknown> = new Map<string, (text: string) => unknown>([
  [coordinatorName, readCoordinator],
  [outcomeName, readOutcome],
  [toldName, parseEarlyExit],
])

/** The run whose rank 0 has left word in a run's directory of where it listens, if any. */
export async function coordinatorIn(directory: PrivateDirectory): Promise<ClusterRecord | undefined> {
  const text = await directory.read(coordinatorName)
  return text === undefined ? undefined : readCoordinator(text)
}

/** Where rank 0 of a run leaves word: of two processes that claim to be it, one succeeds. */
export function coordinatorPlace(directory: PrivateDirectory, path: string, questions: PathQuestions): PublishPlace {
  return {
    path,
    check: async (): Promise<PathState> => {
      const text = await directory.read(coordinatorName)
      if (text === undefined) return { kind: 'free' }
      const owner = readCoordinator(text)
      const state = owner === undefined ? 'gone' : await stateOfOwner(owner, questions, `"${path}"`)
      return typeof state === 'object' ? state.inUse : { kind: 'stale', text }
    },
    create: async (text) => await directory.create(coordinatorName, text),
    put: async (text) => {
      await directory.put(coordinatorName, text)
    },
    remove: async () => {
      await directory.use(async (at) => {
        await removeFile(`${at}/${coordinatorName}`)
      })
    },
  }
}
