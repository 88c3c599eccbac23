import { statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { messageOf } from '../../../errors.ts'
import { type Abi, recognise } from './abi.ts'
import { libraryCandidates } from './candidates.ts'
import { type Koffi, loadKoffi } from './koffi.ts'
import { NoMpiError } from './messages.ts'

/** An opened library. */
export type Library = ReturnType<Koffi['load']>

/** An MPI library that can be called. */
export interface LoadedMpi {
  /** Name or path by which it was loaded. */
  readonly name: string
  /** The beginning of what it says of itself, such as `Open MPI v4.1.4`. */
  readonly version: string
  readonly library: Library
  readonly abi: Abi
}

/** `MPI_MAX_LIBRARY_VERSION_STRING` of all families is less. */
const longestVersion = 8192

/**
 * Opens an MPI library: the one that `wanted` names, else the first of the machine's that is there.
 *
 * @throws NoMpiError where there is none, or no koffi to call it by.
 */
export function loadMpi(wanted: string | undefined, env: Readonly<NodeJS.ProcessEnv>): LoadedMpi {
  // The loader would wait for somebody to write into a named pipe.
  if (wanted?.includes('/') === true && isFile(wanted) === false)
    throw new NoMpiError(`the library "${wanted}" is no regular file`)
  const koffi = loadKoffi()
  if (wanted !== undefined) return open(koffi, wanted)
  const tried: string[] = []
  for (const name of libraryCandidates(env)) {
    // A path that is not there means nothing; a name is for the loader to find.
    if (isAbsolute(name) && isFile(name) !== true) continue
    try {
      return open(koffi, name)
    } catch (error) {
      tried.push(messageOf(error))
    }
  }
  // Names that the loader does not find say nothing; one that is there and cannot be used does.
  const reasons = tried.filter((reason) => !/No such file|cannot open shared object|image not found/i.test(reason))
  const why = reasons[0] ?? 'the loader finds no MPI library'
  throw new NoMpiError(`${why}; load the module of your MPI, or name its library by --mpi-library`)
}

/** Undefined where there is nothing. */
function isFile(path: string): boolean | undefined {
  try {
    return statSync(path).isFile()
  } catch {
    return undefined
  }
}

function open(koffi: Koffi, name: string): LoadedMpi {
  let library: Library
  try {
    // Parts of Open MPI that it loads itself look for its symbols in the global scope.
    library = koffi.load(name, { global: true })
  } catch (error) {
    throw new NoMpiError(`the library "${name}" cannot be loaded: ${messageOf(error)}`)
  }
  const signs = { name, has: (symbol: string) => has(library, symbol), version: () => versionOf(library) }
  const abi = recognise(signs)
  if (abi === undefined)
    throw new NoMpiError(
      `the library "${name}" is neither Open MPI nor one of MPICH's kind nor one of MPI's standard ABI`,
    )
  return { name, version: versionOf(library), library, abi }
}

function has(library: Library, symbol: string): boolean {
  try {
    library.symbol(symbol)
    return true
  } catch {
    return false
  }
}

function versionOf(library: Library): string {
  const text = Buffer.alloc(longestVersion)
  // Allowed before MPI_Init.
  const status: unknown = library.func('int MPI_Get_library_version(void *, void *)')(text, new Int32Array(1))
  const [line = ''] = text.toString('latin1', 0, Math.max(0, text.indexOf(0))).split(/[\n,]/)
  return status === 0 ? line.replace(/\s+/g, ' ').trim() : ''
}
