import { basename, dirname } from 'node:path'
import { errnoOf } from '../../errors.ts'
import { listDirectory } from '../../filesystem/list.ts'
import { otherOwner, readOfAnybody, whyNotTrusted } from '../../filesystem/read-named.ts'
import { formatSystemError } from '../../filesystem/system-error.ts'
import { UntrustedError } from '../../filesystem/untrusted.ts'
import { parseSchedulerFile } from '../../record/parse.ts'
import type { SchedulerFile } from '../../record/scheduler-file.ts'

/** What stands at the path of a scheduler file. */
export type Sight =
  | {
      readonly kind: 'file'
      readonly file: SchedulerFile
      /** Whose it is, where it is neither this user's nor root's. */
      readonly owner?: string
    }
  | Unread

/** What is looked at. */
export interface LookTarget {
  readonly path: string
  /** A file of somebody else will do, since nothing is done that it says. @default false */
  readonly ofAnybody?: boolean
}

/** Looks once. Where the filesystem hangs it does not resolve. */
export async function lookAt({ path, ofAnybody = false }: LookTarget): Promise<Sight> {
  const contents = await readPath(path)
  if (contents.kind !== 'text') return contents
  const { owner, whyNotTrusted: why } = contents
  if (why !== undefined && !ofAnybody) return { kind: 'foreign', why }
  const parsed = parseSchedulerFile(contents.text)
  switch (parsed.kind) {
    case 'valid':
      return { kind: 'file', file: parsed.file, ...(owner !== undefined && { owner }) }
    case 'foreign':
      return parsed
    case 'empty':
      return { kind: 'missing', why: 'the file is empty' }
    case 'truncated':
      return { kind: 'missing', why: 'the file is incomplete' }
  }
}

/**
 * Why a path has nothing to read. `missing`: nothing is there, or not all of it yet; `silent`: the filesystem does not say what
 * there is; `foreign`: no wait makes of it what is looked for.
 */
interface Unread {
  readonly kind: 'missing' | 'silent' | 'foreign'
  readonly why: string
}

/** What can be read at a path. */
type Contents =
  | {
      readonly kind: 'text'
      readonly text: string
      /** Whose word that is, such as `user anna`, where it is neither this user's nor root's. */
      readonly owner?: string
      /** Why nothing may be done that it says, and what to do; goes on after its path. */
      readonly whyNotTrusted?: string
    }
  | Unread

/** By path. One that hangs holds a thread of this process, and is not begun again. */
const underWay = new Map<string, Promise<Contents>>()

/**
 * Reads the file at an absolute path once. The name is opened only where its directory lists it, since looking up a
 * missing name makes network filesystems remember it as missing. Where the filesystem hangs the promise does not settle.
 */
export async function readPath(path: string): Promise<Contents> {
  const reading = underWay.get(path) ?? read(path).finally(() => underWay.delete(path))
  underWay.set(path, reading)
  return await reading
}

async function read(path: string): Promise<Contents> {
  try {
    const names = await listDirectory(dirname(path))
    if (!names.includes(basename(path))) return { kind: 'missing', why: 'there is no such file' }
    const contents = await readOfAnybody(path)
    const [owner, why] = [await otherOwner(contents), await whyNotTrusted(contents)]
    return {
      ...{ kind: 'text', text: contents.text },
      ...(owner !== undefined && { owner }),
      ...(why !== undefined && { whyNotTrusted: why }),
    }
  } catch (error) {
    return error instanceof UntrustedError ? { kind: 'foreign', why: error.message } : explain(path, error)
  }
}

function explain(path: string, error: unknown): Unread {
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
