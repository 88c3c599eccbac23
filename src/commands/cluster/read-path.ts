import { readFile, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { errnoOf, messageOf } from '../../errors.ts'
import { listDirectory } from '../../rendezvous/list.ts'

/** What can be read at a path. */
export type Contents =
  | { readonly kind: 'text'; readonly text: string }
  /** Nothing yet. */
  | { readonly kind: 'missing'; readonly why: string }
  /** The filesystem does not say what there is. */
  | { readonly kind: 'silent'; readonly why: string }
  /** Something that no wait makes a file of that can be read. */
  | { readonly kind: 'foreign'; readonly why: string }

/** No scheduler file comes near this size; a larger file is not even read. In bytes. */
const largest = 16 * 1024 * 1024

/**
 * Reads once. The name is opened only where its directory lists it, since looking up a missing name
 * makes network filesystems remember it as missing.
 */
export async function readPath(path: string): Promise<Contents> {
  try {
    const names = await listDirectory(dirname(path))
    if (!names.includes(basename(path))) return { kind: 'missing', why: 'there is no such file' }
    const found = await stat(path)
    if (found.isDirectory()) return { kind: 'foreign', why: 'it is a directory' }
    if (!found.isFile()) return { kind: 'foreign', why: 'it is not a regular file' }
    if (found.size > largest) return { kind: 'foreign', why: 'it is too large for a scheduler file' }
    return { kind: 'text', text: await readFile(path, 'utf8') }
  } catch (error) {
    return explain(path, error)
  }
}

function explain(path: string, error: unknown): Contents {
  switch (errnoOf(error)) {
    case 'ENOENT':
      return { kind: 'missing', why: `there is no such file, or no directory "${dirname(path)}"` }
    case 'ENOTDIR':
      return { kind: 'foreign', why: `"${dirname(path)}" is not a directory` }
    case 'EACCES':
    case 'EPERM':
      return { kind: 'foreign', why: 'reading it is not permitted; it may be another user’s' }
    case 'ELOOP':
      return { kind: 'foreign', why: 'its symbolic links lead nowhere' }
    default:
      // EIO and ESTALE of a network filesystem pass; until then it is not known what there is.
      return { kind: 'silent', why: `it cannot be read (${messageOf(error)})` }
  }
}
