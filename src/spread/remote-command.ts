import { ownProgram } from '../util/own-program.ts'

/** What a rank reads its orders from: its standard input is the user's program's, and says nothing. */
export const ordersDescriptor = 3

/** Moves the line from the launcher away from standard input. */
const script = `exec ${ordersDescriptor}<&0 </dev/null; exec "$@"`

/**
 * The command that takes part in the run, on whatever host it is started. Its arguments tell nothing that others may not
 * read: what it needs comes by its standard input.
 */
export function remoteCommand(): readonly [string, ...string[]] {
  return ['/bin/sh', '-c', script, 'dask-run-rank', process.execPath, ownProgram(), 'rank']
}
