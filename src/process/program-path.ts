import { type Stats, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RunnerError } from '../errors.ts'

/**
 * Path of the command line's program: the file that this code was bundled into, or the library's neighbour.
 *
 * @throws RunnerError ERR_ENVIRONMENT if the neighbour is missing, or belongs to somebody who owns neither the library nor
 *   this process.
 */
export function programPath(): string {
  const here = fileURLToPath(import.meta.url)
  if (basename(here) !== 'index.js') return here
  const program = join(dirname(here), 'cli.cjs')
  const stats: Stats | undefined = statSync(program, { throwIfNoEntry: false })
  if (stats === undefined) throw cannotStart(program, `it is missing beside "${here}"`)
  if (![0, process.geteuid?.(), statSync(here).uid].includes(stats.uid))
    throw cannotStart(program, `it belongs to the user ${stats.uid}, and "${here}" does not`)
  return program
}

function cannotStart(program: string, why: string): RunnerError {
  return new RunnerError(`Cannot start "${program}": ${why}; install dask-hpc-runner anew`, { code: 'ERR_ENVIRONMENT' })
}
