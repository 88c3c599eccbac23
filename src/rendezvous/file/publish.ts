import { removeFile } from '../../filesystem/known-files.ts'
import { type Created, createFile } from '../../filesystem/create-file.ts'
import { replaceFile } from '../../filesystem/replace-file.ts'
import type { Logger } from '../../logger.ts'
import { cannotPublish, refusal } from './cannot-publish.ts'
import { type Lock, type LockOptions, withLock } from './lock.ts'
import type { RendezvousPaths } from './names.ts'
import { checkStale, PathInUseError, type PathQuestions, type PathState, readTarget } from './path-state.ts'

/** A path at which one run of several publishes. */
export interface PublishPlace {
  readonly path: string
  /** What stands there, and whether it is stale. */
  readonly check: () => Promise<PathState>
  /** Puts a file there where nothing is. */
  readonly create: (text: string) => Promise<Created>
  /** Puts a file there, in the place of what is there. */
  readonly put: (text: string) => Promise<void>
  /** Removes what is there if it still says `text`. */
  readonly remove: (text: string) => Promise<void>
}

/** How a place is published at. */
export interface PublishFileOptions extends LockOptions {
  readonly paths: RendezvousPaths
  readonly logger: Logger
}

/** A run that is alive may publish at the same moment: so often it is looked at who it is. */
const attempts = 3

/**
 * Puts a file at a place that nobody uses. Where something is there, one process at a time looks whether it is stale,
 * and replaces it.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH where it cannot, or what is there is to be left alone.
 */
export async function publishAt(place: PublishPlace, text: string, options: PublishFileOptions): Promise<void> {
  const first = await created(place, text)
  if (first === 'created') return
  await withLock(
    options.paths,
    async (lock) => {
      for (let attempt = 1; ; attempt++) {
        await clear(place, lock, options)
        if (first === 'no links') {
          await place.put(text)
          return
        }
        if ((await created(place, text)) === 'created') return
        if (attempt === attempts) throw refusal(place.path, changing)
      }
    },
    options,
  )
}

/**
 * Clears a place of what is stale there, before anything is published. A free place costs a look.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH where what is there is to be left alone.
 */
export async function clearPlace(place: PublishPlace, options: PublishFileOptions): Promise<void> {
  await withLock(options.paths, async (lock) => clear(place, lock, options), options)
}

const changing = 'another program is writing it at this moment; name another path'

async function created(place: PublishPlace, text: string): Promise<Created> {
  try {
    return await place.create(text)
  } catch (error) {
    throw cannotPublish(place.path, error)
  }
}

async function clear(place: PublishPlace, lock: Lock, { logger, signal }: PublishFileOptions): Promise<void> {
  const state = await place.check()
  signal?.throwIfAborted()
  if (state.kind === 'in use') throw new PathInUseError(place.path, state)
  if (state.kind !== 'stale') return
  lock.throwIfLost()
  if (state.notice !== undefined) logger.warn(state.notice)
  await place.remove(state.text)
}

/** The scheduler file's path. */
export function publicPlace(paths: RendezvousPaths, questions: PathQuestions): PublishPlace {
  const { schedulerFile: path } = paths
  return {
    path,
    check: async () => await checkStale(paths, questions),
    create: async (text) => await createFile(path, text),
    put: async (text) => {
      await publishFile(path, text)
    },
    remove: async (text) => {
      const now = await readTarget(paths).catch(() => null)
      if (now === undefined) return
      if (now !== text) throw refusal(path, changing)
      await removeFile(path)
    },
  }
}

/**
 * Puts a file with `text` at `path`, as {@link replaceFile} does.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH, with the path and the cause in words.
 */
export async function publishFile(path: string, text: string): Promise<void> {
  try {
    await replaceFile(path, text)
  } catch (error) {
    throw cannotPublish(path, error)
  }
}
