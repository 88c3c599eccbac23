import { ownProgram } from '../util/own-program.ts'

/** What a rank reads its orders from: its standard input is the user's program's, and says nothing. */
export const ordersDescriptor = 3

/** Moves the line from the launcher away from standard input. */
const script = `exec ${ordersDescriptor}<&0 </dev/null; exec "$@"`
const scriptWithoutInput = 'exec "$@" </dev/null'

/**
 * The command that takes part in the run, on whatever host it is started. Its arguments tell nothing that others may not
 * read: what it needs comes by its standard input, or is in a directory.
 *
 * @param place the directory, and which rank it is there
 */
export function remoteCommand(place: readonly string[] = []): readonly [string, ...string[]] {
  const own = [process.execPath, ownProgram(), 'rank', ...place]
  return ['/bin/sh', '-c', place.length === 0 ? script : scriptWithoutInput, 'dask-run-rank', ...own]
}
