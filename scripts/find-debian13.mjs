// Finds the Python of Debian 13 with its Dask, or unpacks it beside this machine's own system. As a
// program: the Python on standard output, the story on standard error; status 1 where it cannot run here.
import { fileURLToPath } from 'node:url'
import { unpackDebian, writePython } from './unpack-debian.mjs'

/**
 * The Python of Debian 13. Unpacking it takes a minute, once.
 *
 * @returns {string} an executable that takes the arguments of `python3`
 * @throws Error where it cannot run here, with the reason and what to do
 */
export function findDebian13() {
  return writePython(
    unpackDebian({ title: 'Debian 13', suite: 'trixie', name: 'debian-13', packages: 'python3-distributed' }),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${findDebian13()}\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
