import { mkdtemp, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { formatSystemError } from '../../filesystem/system-error.ts'
import { foreignHandOnNames } from '../../util/foreign-hand.ts'
import { ownPlaceAdvice, foreignHandAdvice, temporaryPlace } from '../../util/temporary-place.ts'
import { about, type Finding, found } from './finding.ts'
import { type Filesystem, filesystemOf } from './filesystem.ts'
import { formatBytes } from '../../util/format.ts'

const { ok, note, warning, problem } = about('temporary')

/** Where workers put their files. */
export interface TemporaryFacts {
  readonly path: string
  readonly filesystem: Filesystem | undefined
  /** Why nothing can be written there. */
  readonly why: string | undefined
  /** Who else could put something in the place of what is made there, and what is used then, if anything is. */
  readonly foreign?: { readonly hand: string; readonly instead: string | undefined } | undefined
}

/** Tries the directory for temporary files; what is made there is removed. */
export async function lookAtTemporary(path: string): Promise<TemporaryFacts> {
  try {
    const filesystem = await filesystemOf(path)
    await rmdir(await mkdtemp(join(path, 'dask-hpc-runner-doctor-')))
    return { path, filesystem, why: undefined, foreign: await lookForForeign(path) }
  } catch (error) {
    return { path, filesystem: undefined, why: formatSystemError(error) }
  }
}

async function lookForForeign(path: string): Promise<TemporaryFacts['foreign']> {
  const hand = await foreignHandOnNames(path)
  if (hand === undefined) return undefined
  const { path: instead } = await temporaryPlace(path).catch(() => ({ path: undefined }))
  return { hand, instead }
}

/** With less room workers can hardly spill. In bytes. */
const leastRoom = 1_000_000_000

/** Judges the directory for temporary files; `named` is set where the user named it for the workers. */
export function checkTemporary({ path, filesystem, why, foreign }: TemporaryFacts, named: boolean): Finding[] {
  const what = named ? '--local-directory' : 'TMPDIR'
  if (why !== undefined || filesystem === undefined)
    return [
      problem(
        `Cannot write in "${path}" (${what}): ${why ?? 'it is not known why'}`,
        'set TMPDIR to a directory of the node, or name one by --local-directory',
      ),
    ]
  if (foreign !== undefined)
    return [
      found(
        named || foreign.instead === undefined ? 'problem' : 'warning',
        'temporary',
        named
          ? `Cannot use "${path}" (--local-directory): ${foreignHandAdvice(foreign.hand)}`
          : `"${path}" (TMPDIR) is not used, but ${foreign.instead ?? 'no directory can be'}: ${foreignHandAdvice(foreign.hand)}`,
        `${ownPlaceAdvice()} ${named ? '' : 'TMPDIR or '}--local-directory`,
      ),
    ]
  const { kind, local, free } = filesystem
  const findings = [ok(`${path} (${kind}) has ${formatBytes(free)} of room`)]
  if (free < leastRoom)
    findings.push(
      warning(
        `"${path}" has ${formatBytes(free)} of room for what workers spill from memory`,
        'set TMPDIR to a larger directory of the node, or name one by --local-directory',
      ),
    )
  if (['tmpfs', 'ramfs'].includes(kind))
    findings.push(note(`"${path}" is in memory: what workers spill there frees none`))
  else if (!local)
    findings.push(
      note(
        `"${path}" is not on a local filesystem as far as is known (${kind}); spilling is slow there`,
        'name a directory of the node by --local-directory',
      ),
    )
  return findings
}
