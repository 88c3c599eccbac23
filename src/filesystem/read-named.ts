import { otherWriters, wayTo } from '../util/foreign-hand.ts'
import { absolutePath } from '../util/surroundings.ts'
import { type OwnedText, readOwned } from './read-own.ts'
import { formatMode, UntrustedError, formatUser, ownUid } from './untrusted.ts'

/**
 * The text of a scheduler file that the user has named, whose scheduler is then let run code as this user, as
 * that of a worker or of a client is: so the file has to be this user's, or root's. So has every link on the way to it; and nobody else may be permitted
 * to write it: in a group's directory, whoever is may bring it there from another name.
 *
 * @throws UntrustedError where it is somebody else's, or open to him, with what to do; or a system error.
 */
export async function readNamed(path: string): Promise<string> {
  const read = await readOfAnybody(path)
  const why = await whyNotTrusted(read)
  if (why !== undefined) throw new UntrustedError(why)
  return read.text
}

/** Why a scheduler file is not used that somebody else has or may have written, and what to do; goes on after its path. */
export async function whyNotTrusted(read: Omit<NamedText, 'text'>): Promise<string | undefined> {
  const danger = 'and whoever writes it can run code as you'
  const owner = await otherOwner(read)
  if (owner !== undefined) return `it belongs to ${owner}, ${danger}; if you trust ${owner}, copy it and name the copy`
  const writers = otherWriters(read)
  if (writers === undefined) return undefined
  return `${writers} may write it (mode ${formatMode(read)}), ${danger}; if it says what you wrote, take that permission away by chmod go-w`
}

/** What a named file says, and whose word that is. */
export interface NamedText extends OwnedText {
  /** Who has made the links of its path. */
  readonly linkUids: readonly number[]
}

/**
 * The text of a file that the user has named, whosever it is; links are followed.
 *
 * @throws UntrustedError where it is not a regular file, or too large; or a system error, as where it has too many links.
 */
export async function readOfAnybody(path: string): Promise<NamedText> {
  const linkUids: number[] = []
  let target = path
  for await (const [at, stats] of wayTo(absolutePath(path)))
    if (stats.isSymbolicLink()) linkUids.push(stats.uid)
    else target = at
  return { ...(await readOwned(target, { of: 'anybody' })), linkUids }
}

/** Whose word it is, where it is neither this user's nor root's. */
export async function otherOwner({ uid, linkUids }: Omit<NamedText, 'text'>): Promise<string | undefined> {
  const other = [...linkUids, uid].find((each) => each !== ownUid() && each !== 0)
  return other === undefined ? undefined : await formatUser(other)
}
