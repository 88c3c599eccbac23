import { lstat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf } from '../errors.ts'
import { UntrustedError, formatUser, ownUid } from './untrusted.ts'

/** Only the owner of a file, that of the directory and root may rename or remove it in such a directory, as in /tmp. */
export const stickyBit = 0o1000

/**
 * What to throw where the file at `path` could not be replaced or removed: in a sticky directory it says
 * whose file it is; any other error stays as it is.
 */
export async function explainSticky(path: string, error: unknown): Promise<unknown> {
  if (!['EPERM', 'EACCES'].includes(errnoOf(error) ?? '')) return error
  try {
    const [file, directory] = await Promise.all([lstat(path), lstat(dirname(path))])
    if (file.uid === ownUid() || (directory.mode & stickyBit) === 0) return error
    const who = await formatUser(file.uid)
    const owner =
      directory.uid === file.uid || directory.uid === 0
        ? 'root'
        : `${await formatUser(directory.uid)}, whose directory it is,`
    return new UntrustedError(
      `the file there belongs to ${who}, and its directory is sticky, so that only ${who} and ${owner} can replace or remove it (${errnoOf(error)})`,
      { cause: error },
    )
  } catch {
    return error
  }
}
