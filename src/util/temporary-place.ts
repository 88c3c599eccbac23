import { accessSync, constants } from 'node:fs'
import { RunnerError } from '../errors.ts'
import { foreignHandOnNames } from './foreign-hand.ts'
import { temporaryDirectory } from './surroundings.ts'
import { withIoTimeout } from './io-timeout.ts'

/** Where this process makes directories of its own. */
export interface TemporaryPlace {
  /** Absolute. */
  readonly path: string
  /** Why it is not TMPDIR: who could put something in the place of what is made there. */
  readonly why?: string
}

/** How long the filesystem of TMPDIR may take. In milliseconds. */
const patience = 10_000

/** In the place of TMPDIR, where that is nobody's own. */
const others = ['/tmp', '/var/tmp']

/**
 * The directory for temporary files, as long as nobody else can rename what this user makes there, and put his own files
 * in its place, which would be run or trusted; else another one of the machine.
 *
 * @throws RunnerError ERR_ENVIRONMENT where there is none.
 */
export async function temporaryPlace(wanted = temporaryDirectory()): Promise<TemporaryPlace> {
  const late = (): Error => new Error('the filesystem does not answer')
  // What cannot be looked at cannot be used either, and whoever tries says why.
  const why = await withIoTimeout(foreignHandOnNames(wanted), patience, late).catch(() => undefined)
  if (why === undefined) return { path: wanted }
  for (const path of others) if (await isFit(path)) return { path, why }
  throw new RunnerError(`Cannot use TMPDIR "${wanted}": ${foreignHandAdvice(why)}; ${ownPlaceAdvice()} TMPDIR`, {
    code: 'ERR_ENVIRONMENT',
  })
}

/** What follows from the word of {@link foreignHandOnNames}. */
export function foreignHandAdvice(why: string): string {
  return `${why}, so that somebody else could put files of his own in the place of yours`
}

/** What to do, up to the name of what says where. */
export function ownPlaceAdvice(): string {
  return 'take that permission away by chmod g-w, o-w or +t, or name a directory of yours by'
}

async function isFit(path: string): Promise<boolean> {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return (await foreignHandOnNames(path)) === undefined
  } catch {
    return false
  }
}
