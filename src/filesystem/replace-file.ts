import { randomBytes } from 'node:crypto'
import { open, rename, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { errnoOf } from '../errors.ts'
import { writeNew } from '../util/write-new.ts'
import { explainSticky } from './sticky.ts'
import { temporaryName } from './temporary-name.ts'

/**
 * Puts a file with `text` at `path`, replacing what file stood there: whoever reads sees all of the
 * old text or all of the new. Other users cannot read it. A link there is replaced, and not followed.
 *
 * @throws a system error, or UntrustedError where a sticky directory keeps another user's file there.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const directory = dirname(path)
  const temporary = newTemporary(path)
  await writeNew(temporary, text, 0o600)
  try {
    await rename(temporary, path)
    await syncDirectory(directory)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw await explainSticky(path, error)
  }
}

/** A path beside `path` that nobody else uses: processes of two hosts, or of two PID namespaces, share pids. */
export function newTemporary(path: string): string {
  const random = randomBytes(6).toString('hex')
  return join(dirname(path), temporaryName(basename(path), { host: hostname(), pid: process.pid, random }))
}

/** Not every filesystem lets a directory be synced; the file is in its place all the same. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'EACCES', 'ENOTSUP'].includes(errnoOf(error) ?? '')) throw error
  }
}
