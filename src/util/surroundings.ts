import { accessSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import { errnoOf, messageOf, RunnerError } from '../errors.ts'
import { hasControlCharacters, isNoUtf8 } from './control-characters.ts'
import { printable } from './printable.ts'

/**
 * The working directory.
 *
 * @throws RunnerError ERR_ENVIRONMENT where it was removed, or has a name that cannot be used.
 */
export function workingDirectory(cwd: () => string = () => process.cwd()): string {
  try {
    return refuseControl('the working directory', cwd(), 'start in another one')
  } catch (cause) {
    if (cause instanceof RunnerError) throw cause
    const why = errnoOf(cause) === 'ENOENT' ? 'it was removed' : messageOf(cause)
    throw unusable('the working directory', `${why}; start in another one`, cause)
  }
}

/**
 * The absolute path of the directory for temporary files.
 *
 * @throws RunnerError ERR_ENVIRONMENT where its name cannot be used.
 */
export function temporaryDirectory(path = tmpdir()): string {
  return absolutePath(refuseControl('TMPDIR', path, 'set it to another directory'))
}

/**
 * A path that does not depend on the working directory.
 *
 * @throws RunnerError ERR_ENVIRONMENT where it did, and that cannot be used.
 */
export function absolutePath(path: string): string {
  return isAbsolute(path) ? resolve(path) : resolve(workingDirectory(), path)
}

/**
 * Looks at what every process of a run needs, before anything is started.
 *
 * @throws RunnerError ERR_ENVIRONMENT, with what is wrong.
 */
export function checkSurroundings(): void {
  workingDirectory()
  temporaryDirectory()
  if (process.platform !== 'linux') return
  try {
    accessSync('/proc/self/stat')
  } catch (cause) {
    throw unusable('this machine', 'it has no /proc, which Dask needs; mount it (in a container too)', cause)
  }
}

/**
 * The path `what`, as it is.
 *
 * @throws RunnerError ERR_ENVIRONMENT where its name has control characters, or is no UTF-8.
 */
export function refuseControl(what: string, path: string, remedy: string): string {
  const name = `${what} "${printable(path)}"`
  if (isNoUtf8(path)) throw unusable(name, `its name is no UTF-8; ${remedy}`)
  if (!hasControlCharacters(path)) return path
  throw unusable(name, `it has a control character in its name, such as the end of a line; ${remedy}`)
}

function unusable(what: string, why: string, cause?: unknown): RunnerError {
  return new RunnerError(`Cannot use ${what}: ${why}`, { code: 'ERR_ENVIRONMENT', cause })
}
