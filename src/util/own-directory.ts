import { lstat, mkdir } from 'node:fs/promises'

/** A directory of this user's, and which one it is: its name may come to stand for another. */
export interface OwnDirectory {
  /** Absolute. */
  readonly path: string
  /** Its number on its filesystem, in decimal digits. */
  readonly inode: string
}

/** Removes the directories of this process at its end, whatever ends it. */
export interface DirectoryKeeper {
  /** A directory is about to be made at `path`: as long as nothing else is known of it, it is removed only if it is empty. */
  expectDirectory(path: string): void
  /** It was made. */
  addDirectory(directory: OwnDirectory): void
}

/**
 * Makes a directory that nobody else can enter, and that `keeper` removes. That something is there already is an error, as
 * where somebody else has put something in its place.
 */
export async function makeOwnDirectory(path: string, keeper: DirectoryKeeper): Promise<OwnDirectory> {
  keeper.expectDirectory(path)
  await mkdir(path, { mode: 0o700 })
  const seen = await lstat(path, { bigint: true })
  if (!seen.isDirectory()) throw new Error(`"${path}" is no directory`)
  if (seen.uid !== BigInt(process.geteuid?.() ?? 0)) throw new Error(`"${path}" is a directory of somebody else`)
  const directory = { path, inode: String(BigInt.asUintN(64, seen.ino)) }
  keeper.addDirectory(directory)
  return directory
}
