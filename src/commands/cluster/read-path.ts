import { basename, dirname } from 'node:path'
import { errnoOf } from '../../errors.ts'
import { listDirectory } from '../../filesystem/list.ts'
import { otherOwner, readOfAnybody } from '../../filesystem/read-named.ts'
import { formatSystemError } from '../../filesystem/system-error.ts'
import { UntrustedError } from '../../filesystem/untrusted.ts'
import { claimNameOf } from '../../rendezvous/names.ts'

/** What the process that reads is asked: for a file, or for the run that holds the path of a scheduler file. */
export interface Question {
  readonly what: 'file' | 'starting run'
  /** Absolute. */
  readonly path: string
}

/** What can be read at a path. */
export type Contents =
  | {
      readonly kind: 'text'
      readonly text: string
      /** Whose word that is, such as `user anna`, where it is neither this user's nor root's. */
      readonly owner?: string
    }
  /** Nothing yet. `claimed`: a run holds the path. */
  | { readonly kind: 'missing'; readonly why: string; readonly claimed?: boolean }
  /** The filesystem does not say what there is. */
  | { readonly kind: 'silent'; readonly why: string }
  /** Something that no wait makes a file of that can be read. */
  | { readonly kind: 'foreign'; readonly why: string }

/**
 * Reads once. The name is opened only where its directory lists it, since looking up a missing name
 * makes network filesystems remember it as missing.
 */
export async function readPath(path: string): Promise<Contents> {
  try {
    const names = await listDirectory(dirname(path))
    if (!names.includes(basename(path))) {
      const claimed = names.includes(claimNameOf(basename(path)))
      return { kind: 'missing', why: 'there is no such file', claimed }
    }
    const read = await readOfAnybody(path)
    const owner = await otherOwner(read)
    return { kind: 'text', text: read.text, ...(owner !== undefined && { owner }) }
  } catch (error) {
    return error instanceof UntrustedError ? { kind: 'foreign', why: error.message } : explain(path, error)
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
      return { kind: 'silent', why: `it cannot be read (${formatSystemError(error)})` }
  }
}
