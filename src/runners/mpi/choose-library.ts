import { RunnerError } from '../../errors.ts'
import { MpiHelper } from './library/helper.ts'
import { NoMpiError } from './library/messages.ts'
import type { CompleteOptions } from '../../options.ts'
import type { Reaper } from '../../process/reaper.ts'
import { formatDuration } from '../../util/duration.ts'
import { deadline } from '../../util/wait.ts'

/** How the ranks of an MPI launcher meet. */
export type LibraryChoice =
  /** `library`: its name, and what it says of itself. */
  | { readonly by: 'broadcast'; readonly library: string; readonly helper: MpiHelper }
  | { readonly by: 'file'; readonly why: string }

/** What {@link chooseLibrary} takes beside the options. */
export interface ChooseLibraryOptions {
  /** Learns of the process in which the library is loaded. */
  readonly reaper: Reaper
  /** Join the world of MPI too. @default true */
  readonly initialise?: boolean
  readonly signal?: AbortSignal
}

/** How long finding and opening a library may take: on a shared filesystem, in a large job. In milliseconds. */
const loadTimeout = 60_000

/**
 * By a broadcast where there is an MPI library and koffi to call it, else at the scheduler file.
 *
 * @throws RunnerError ERR_ENVIRONMENT where the library that the options name cannot be used,
 * ERR_UNAVAILABLE where loading one ends the process that does it, twice where that is a crash.
 */
export async function chooseLibrary(
  { mpiLibrary, env }: Pick<CompleteOptions, 'mpiLibrary' | 'env'>,
  { reaper, initialise = true, signal }: ChooseLibraryOptions,
): Promise<LibraryChoice> {
  if (mpiLibrary === 'none') return { by: 'file', why: '--mpi-library none says so' }
  const start = (): MpiHelper => new MpiHelper({ library: mpiLibrary, env, reaper, initialise })
  let helper = start()
  const late = (): Error =>
    new RunnerError(`Cannot use MPI: no library was loaded after ${formatDuration(loadTimeout)}`, {
      code: 'ERR_TIMED_OUT',
    })
  try {
    const loaded = async (): Promise<{ library: string; version: string }> =>
      await deadline(helper.loaded, loadTimeout, late, signal)
    const { library, version } = await loaded().catch(async (error: unknown) => {
      if (!helper.hasCrashed) throw error
      // What libraries bring along meddles with the process that opens them, and has crashed it. Nothing has been
      // said to the launcher by then, so another process can take its place; the other ranks would wait for long.
      helper = start()
      return await loaded()
    })
    return { by: 'broadcast', library: `${library} (${version})`, helper }
  } catch (error) {
    helper.kill()
    if (!(error instanceof NoMpiError)) throw error
    if (mpiLibrary === undefined) return { by: 'file', why: error.message }
    throw new RunnerError(`Cannot use the MPI library "${mpiLibrary}": ${error.message}`, {
      code: 'ERR_ENVIRONMENT',
      cause: error,
    })
  }
}
