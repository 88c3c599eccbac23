import { lstat, realpath } from 'node:fs/promises'
import { type OwnedText, readOwned } from './read-own.ts'
import { UntrustedError } from './untrusted.ts'
import { formatUser, ownUid } from './user.ts'

/**
 * The text of a scheduler file that the user has named, whose scheduler is then let run code as this user, as
 * that of a worker or of a client is: so the file has to be this user's, or root's. So has a link at its path.
 *
 * @throws UntrustedError where it is somebody else's, with what to do; or a system error.
 */
export async function readNamed(path: string): Promise<string> {
  const read = await readOfAnybody(path)
  const owner = await otherOwner(read)
  if (owner !== undefined) throw new UntrustedError(whyNotTrusted(owner))
  return read.text
}

/** Why a scheduler file of somebody else is not used, and what to do; goes on after its path. */
export function whyNotTrusted(owner: string): string {
  return `it belongs to ${owner}, and whoever writes it can run code as you; if you trust ${owner}, copy it and name the copy`
}

/** What a named file says, and whose word that is. */
export interface NamedText extends OwnedText {
  /** Who has made the link at its path, where there is one. */
  readonly linkUid?: number
}

/**
 * The text of a file that the user has named, whosever it is; links are followed.
 *
 * @throws UntrustedError where it is not a regular file, or too large; or a system error.
 */
export async function readOfAnybody(path: string): Promise<NamedText> {
  const found = await lstat(path)
  if (!found.isSymbolicLink()) return await readOwned(path, { of: 'anybody' })
  return { ...(await readOwned(await realpath(path), { of: 'anybody' })), linkUid: found.uid }
}

/** Whose word it is, where it is neither this user's nor root's. */
export async function otherOwner({ uid, linkUid = uid }: Omit<NamedText, 'text'>): Promise<string | undefined> {
  const other = [linkUid, uid].find((each) => each !== ownUid() && each !== 0)
  return other === undefined ? undefined : await formatUser(other)
}
