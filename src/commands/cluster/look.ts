import { parseSchedulerFile } from '../../record/parse.ts'
import type { SchedulerFile } from '../../record/scheduler-file.ts'
import { type Missing, readPath } from './read-path.ts'

/** What stands at the path of a scheduler file. */
export type Sight =
  | {
      readonly kind: 'file'
      readonly file: SchedulerFile
      /** Whose it is, where it is neither this user's nor root's. */
      readonly owner?: string
    }
  /** Nothing, or not all of it yet. */
  | Missing
  /** The filesystem does not say what there is. */
  | { readonly kind: 'silent'; readonly why: string }
  /** Something that no wait makes a scheduler file of. */
  | { readonly kind: 'foreign'; readonly why: string }

/** What is looked at. */
export interface LookTarget {
  readonly path: string
  /** A file of somebody else will do, since nothing is done that it says. @default false */
  readonly ofAnybody?: boolean
}

/** Looks once. Where the filesystem hangs it does not resolve: see `answered`. */
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
