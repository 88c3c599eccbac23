import { randomBytes } from 'node:crypto'
import { open, rename, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { errnoOf } from '../errors.ts'
import { writeNew } from '../util/write-new.ts'
import { cannotPublish } from './cannot-publish.ts'
import { temporaryName } from './names.ts'

/**
 * Puts a file with `text` at `path`, replacing what file stood there: whoever reads sees all of the
 * old text or all of the new. Other users cannot read it.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH, with the path and the cause in words.
 */
export async function publishFile(path: string, text: string): Promise<void> {
  const directory = dirname(path)
  // The pid alone would collide: processes of two hosts, or of two PID namespaces, share pids.
  const random = randomBytes(6).toString('hex')
  const temporary = join(directory, temporaryName(basename(path), { host: hostname(), pid: process.pid, random }))
  try {
    await writeNew(temporary, text, 0o600)
    await rename(temporary, path)
    await syncDirectory(directory)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw cannotPublish(path, error)
  }
}

/** Not every filesystem lets a directory be synced; the file is published all the same. */
async function syncDirectory(path: string): Promise<void> {
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
