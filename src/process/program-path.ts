import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Path of the command line's program: the file that this code was bundled into, or the library's neighbour. */
export function programPath(): string {
  const here = fileURLToPath(import.meta.url)
  return basename(here) === 'index.js' ? join(dirname(here), 'cli.cjs') : here
}
