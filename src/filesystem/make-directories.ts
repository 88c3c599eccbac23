import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf } from '../errors.ts'

/**
 * Makes a directory and those above it; that it exists is fine. (Node's own recursive mkdir tries for ever, and can
 * not be ended by a signal, where a directory exists in which nothing can be made, such as /proc.)
 *
 * @param mode of those that are made, as far as the umask has it
 */
export async function makeDirectories(path: string, mode = 0o777): Promise<void> {
  const make = async (): Promise<void> => {
    await mkdir(path, { mode }).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error
    })
  }
  try {
    await make()
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeDirectories(dirname(path), mode)
    await make()
  }
}
