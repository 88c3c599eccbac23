import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../errors.ts'
import { sleep } from '../util/wait.ts'
import { readOwn } from './read-own.ts'

/**
 * The names in a directory. It is opened anew each time: a fresh open is what makes a network
 * filesystem bring its listing up to date.
 */
export async function listDirectory(path: string): Promise<string[]> {
  const names: string[] = []
  // Leaving the loop closes the directory.
  for await (const entry of await opendir(path)) names.push(entry.name)
  return names
}

/**
 * The text of a file of a directory, or undefined where it is not listed. A name is opened only once
 * it is listed, since looking up a missing name makes network filesystems remember it as missing.
 *
 * @throws UntrustedError where it is not a regular file of this user, or a system error.
 */
export async function readListed(directory: string, name: string): Promise<string | undefined> {
  for (let attempt = 0; ; attempt++) {
    if (!(await listDirectory(directory)).includes(name)) return undefined
    try {
      return await readOwn(join(directory, name))
    } catch (error) {
      // Listed and yet not found: removed in between, or remembered as missing from before.
      if (errnoOf(error) !== 'ENOENT' || attempt === 50) throw error
      await sleep(100)
    }
  }
}
