import { link, lstat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf } from '../errors.ts'
import { writeNew } from '../util/write-new.ts'
import { newTemporary, syncDirectory } from './replace-file.ts'
import { explainSticky } from './sticky.ts'

/** What came of it: the file is there, something was there already, or the filesystem has no hard links. */
export type Created = 'created' | 'taken' | 'no links'

/** What a filesystem says that has no hard links. */
const noLinks: ReadonlySet<string | undefined> = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK'])

/**
 * Puts a whole file with `text` at `path`, where nothing is there: of several that do so at once, on whatever hosts, one
 * succeeds. Other users cannot read it. What is there already is neither replaced nor, where it is a link, followed.
 *
 * @throws a system error, or UntrustedError where a sticky directory keeps another user's file there.
 */
export async function createFile(path: string, text: string): Promise<Created> {
  const temporary = newTemporary(path)
  await writeNew(temporary, text, 0o600)
  try {
    await link(temporary, path)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') {
      if (noLinks.has(errnoOf(error))) return 'no links'
      throw await explainSticky(path, error)
    }
    // NFS may have lost the answer to a first attempt that succeeded, and then refuses the second.
    if (!(await isSameFile(temporary, path))) return 'taken'
  } finally {
    await unlink(temporary).catch(() => undefined)
  }
  await syncDirectory(dirname(path))
  return 'created'
}

/** Whether two names are of one file. (That a file has two names says nothing: somebody else may have made the other one.) */
async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map(async (path) => await lstat(path, { bigint: true }).catch(ifGone)))
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino
}

function ifGone(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error
}
