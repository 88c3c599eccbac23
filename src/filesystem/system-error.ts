import { errnoOf, messageOf } from '../errors.ts'

const words: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'the operation is not permitted',
  EROFS: 'the filesystem is read-only',
  ENOSPC: 'no space is left on the filesystem',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'a directory is in its place',
  ENOTDIR: 'a part of its path is a file, not a directory',
  EEXIST: 'a file is in the place of its directory',
  ENOENT: 'its directory does not exist',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'its path has too many symbolic links',
  EIO: 'the disk or its server reports an input/output error',
  ESTALE: 'its server has removed it or has lost its handle',
}

/** What is another matter where a file is read, not written. */
const readWords: Readonly<Record<string, string>> = { ENOENT: 'there is no such file', EISDIR: 'it is a directory' }

/** A system error in words, with its code: `the filesystem is read-only (EROFS)`. */
export function formatSystemError(error: unknown): string {
  const errno = errnoOf(error)
  const said = errno === undefined ? undefined : words[errno]
  return errno === undefined || said === undefined ? messageOf(error) : `${said} (${errno})`
}

/** The same of a file that could not be read. */
export function formatReadError(error: unknown): string {
  return readWords[errnoOf(error) ?? ''] ?? formatSystemError(error)
}
