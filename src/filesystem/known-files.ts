import { lstat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../errors.ts'
import { listDirectory } from './list.ts'
import type { PrivateDirectory } from './private-directory.ts'
import { readOwn } from './read-own.ts'
import { explainSticky } from './sticky.ts'
import { UntrustedError, ownUid } from './untrusted.ts'

/** What files a program makes in a directory of its own. */
export interface FileForms {
  /** What reads a file of that name, and gives undefined for what the program has not written; undefined for other names. */
  readonly parserOf: (name: string) => ((text: string) => unknown) | undefined
  /** Whether that is the name of an empty file, which says all. */
  readonly isEmpty: (name: string) => boolean
  /** Whether that is the name of a file that is being written. */
  readonly isTemporary: (name: string) => boolean
}

/**
 * Removes a program's files from its directory, and no others: what has the name of one and is not written by
 * the program stays, too. That the directory is gone is fine.
 *
 * @param isWanted says which of them to remove.
 * @returns the names that were removed.
 */
export async function removeKnownFiles(
  directory: PrivateDirectory,
  forms: FileForms,
  isWanted: (name: string) => boolean = () => true,
): Promise<string[]> {
  try {
    return await directory.use(async (at) => {
      const names = (await listDirectory(at)).filter(isWanted)
      const are = await Promise.all(names.map(async (name) => await isKnownFile(at, name, forms)))
      const ours = names.filter((_, index) => are[index])
      await Promise.all(ours.map(async (name) => await removeFile(join(at, name))))
      return ours
    })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/** A network filesystem keeps a removed file under such a name as long as a process of this host has it open. */
const stillOpen = /^\.nfs[0-9a-f]+$/

/**
 * Sees to it that a directory holds nothing but a program's files, since some of them will be replaced, and all
 * of them removed.
 *
 * @throws UntrustedError where a file there was not made by the program.
 */
export async function refuseOtherFiles(directory: PrivateDirectory, forms: FileForms): Promise<void> {
  await directory.use(async (at) => {
    for (const name of await listDirectory(at))
      if (!stillOpen.test(name) && !(await isKnownFile(at, name, forms)))
        throw new UntrustedError(`"${name}" is in it, which this program has not made`)
  })
}

/** Whether the program has made a file: by its name, its owner, and what it says. */
async function isKnownFile(at: string, name: string, forms: FileForms): Promise<boolean> {
  const path = join(at, name)
  const [parse, isEmpty, isTemporary] = [forms.parserOf(name), forms.isEmpty(name), forms.isTemporary(name)]
  if (parse === undefined && !isEmpty && !isTemporary) return false
  try {
    if (parse !== undefined) {
      const text = await readOwn(path)
      // An empty one is left by a host that lost its power, or by a full disk.
      return text === '' || parse(text) !== undefined
    }
    const found = await lstat(path)
    return found.isFile() && found.uid === ownUid() && (isTemporary || found.size === 0)
  } catch (error) {
    if (error instanceof UntrustedError) return false
    // It has just gone.
    if (errnoOf(error) === 'ENOENT') return true
    throw error
  }
}

/** Removes a file; that there is none is fine. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw await explainSticky(path, error)
  }
}
