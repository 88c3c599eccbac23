import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { errnoOf } from '../errors.ts'
import { formatForeign, formatKind, UntrustedError, ownUid } from './untrusted.ts'

/** No record and no scheduler file comes near this size: a larger file is not read. In bytes. */
const largest = 16 * 1024 * 1024

// Without O_NONBLOCK a named pipe would hold us until somebody writes into it.
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** Whose file is read. */
export interface ReadOptions {
  /** @default 'own' */
  readonly of?: 'own' | 'anybody'
}

/** What a file says, and whose word that is. */
export interface OwnedText {
  readonly text: string
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

/**
 * The text of a regular file of this user: no symbolic link is followed, and nothing is waited for but
 * the filesystem.
 *
 * @throws UntrustedError where it is something else, somebody else's, or too large; or a system error.
 */
export async function readOwn(path: string): Promise<string> {
  return (await readOwned(path)).text
}

/** The same for a file of whomever is meant, with what its owner and its permissions are. */
export async function readOwned(path: string, { of = 'own' }: ReadOptions = {}): Promise<OwnedText> {
  const handle = await open(path, flags).catch((error: unknown) => {
    if (errnoOf(error) === 'ELOOP') throw new UntrustedError('it is a symbolic link', { cause: error })
    if (errnoOf(error) === 'ENXIO')
      throw new UntrustedError('it is a socket or a device, not a regular file', { cause: error })
    throw error
  })
  try {
    const found = await handle.stat()
    if (!found.isFile()) throw new UntrustedError(`it is ${formatKind(found)}, not a regular file`)
    const { uid, gid, mode } = found
    if (of !== 'anybody' && uid !== ownUid()) throw new UntrustedError(await formatForeign(found))
    if (found.size > largest) throw new UntrustedError(`it is larger than ${largest / 1024 / 1024} MiB`)
    return { text: await handle.readFile('utf8'), uid, gid, mode }
  } finally {
    await handle.close()
  }
}
