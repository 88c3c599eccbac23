import { rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../errors.ts'

/** Removes a file of a directory; that there is none is fine. */
export async function remove(directory: string, name: string): Promise<void> {
  try {
    await unlink(join(directory, name))
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

/** Removes a directory where it is empty; that it is gone, or not empty, is fine. */
export async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error
  }
}
