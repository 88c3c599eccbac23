import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RunnerError } from '../errors.ts'
import { foreignHand } from './foreign-hand.ts'

/** How much of a program is read for its stamp, which stands in the second line. In bytes. */
const stampLength = 200

/**
 * Path of the command line's program, `dist/cli.cjs`: what our own processes and threads run.
 *
 * The library may stand in the bundle of somebody's program, and then neither `import.meta.url` nor `process.argv[1]` is
 * ours: a process that ran it would run that program. So a file is taken only if it has the stamp of this very build.
 *
 * @throws RunnerError ERR_ENVIRONMENT where there is none, or where somebody else could have changed it.
 */
export function ownProgram(): string {
  const here = ownFile()
  // The program itself has no stamp to look for.
  if (typeof buildStamp === 'string' && buildStamp === '') return here
  // Tests load the library from its source.
  if (typeof buildStamp === 'undefined') return join(dirname(here), '../../dist/cli.cjs')
  const neighbour = join(dirname(here), 'cli.cjs')
  const found = stampOf(neighbour)
  if (found === buildStamp) return judged(neighbour, here)
  const installed = installedProgram(here)
  if (installed !== undefined && stampOf(installed) === buildStamp) return judged(installed, here)
  const why = found === undefined ? `it is missing beside "${here}"` : `it is not of the same build as "${here}"`
  throw cannotStart(
    neighbour,
    `${why}; ${basename(here) === 'index.js' ? 'install dask-hpc-runner anew' : howToBundle}`,
  )
}

const howToBundle =
  'leave the package out of your bundle (esbuild --external:dask-hpc-runner), or copy its dist/cli.cjs beside the bundle'

/** The file that this code stands in: ours, or a bundle. */
export function ownFile(): string {
  // A bundle in the form of CommonJS has an empty import.meta.
  const url = import.meta.url as string | undefined
  return url === undefined ? __filename : fileURLToPath(url)
}

/** A program, if only those can have changed it who could change the file `here`, which runs. */
function judged(program: string, here: string): string {
  const hand = foreignHand(program, [statSync(here).uid])
  if (hand === undefined) return program
  throw cannotStart(program, `${hand}; install dask-hpc-runner where nobody else may write`)
}

/** The program of the package that is installed where `file` would look for it. */
function installedProgram(file: string): string | undefined {
  try {
    return join(dirname(createRequire(file).resolve('dask-hpc-runner/package.json')), 'dist/cli.cjs')
  } catch {
    return undefined
  }
}

/** The stamp of a program of ours, an empty text where there is none, undefined where there is no file. */
function stampOf(path: string): string | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return undefined
  }
  try {
    const head = Buffer.alloc(stampLength)
    const text = head.toString('utf8', 0, readSync(file, head))
    return /^#!.*\n\/\/ (.*)\n/.exec(text)?.[1] ?? ''
  } catch {
    return ''
  } finally {
    closeSync(file)
  }
}

function cannotStart(program: string, why: string): RunnerError {
  return new RunnerError(`Cannot start "${program}": ${why}`, { code: 'ERR_ENVIRONMENT' })
}
