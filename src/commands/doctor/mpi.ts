import { messageOf } from '../../errors.ts'
import type { Identity } from '../../identity/identity.ts'
import { checkWorld, isUniqueRun, type MpiWorld } from '../../runners/mpi/identify-mpi.ts'
import type { CompleteOptions } from '../../options.ts'
import { Reaper } from '../../process/reaper.ts'
import { chooseLibrary } from '../../runners/mpi/choose-library.ts'
import { formatDuration } from '../../util/duration.ts'
import { deadline } from '../../util/wait.ts'
import { about, type Finding, foundMessage } from './finding.ts'

const { ok, problem } = about('mpi')

/** How the processes of an MPI launcher would meet, and whether they have. */
export type MpiFacts =
  | {
      readonly by: 'broadcast'
      /** Its name, and what it says of itself. */
      readonly library: string
      /** How it is called. */
      readonly family: string
      /** What the library says of this process; undefined where it has said nothing. */
      readonly world: MpiWorld | undefined
      /** Why the processes have not met; undefined where they have. */
      readonly failure: string | undefined
    }
  | { readonly by: 'file'; readonly why: string; readonly isUnique: boolean }

/**
 * Opens the MPI library that a run would use, and has the processes meet by it: every process of the launcher does so.
 *
 * @param options `timeout`: how long the others may take to come, in milliseconds
 */
export async function lookAtMpi(
  options: CompleteOptions,
  { timeout, signal }: { readonly timeout: number; readonly signal: AbortSignal },
): Promise<MpiFacts> {
  await using reaper = new Reaper()
  const choice = await chooseLibrary(options, { reaper, signal })
  if (choice.by === 'file') return { ...choice, isUnique: isUniqueRun(options.env, options) }
  const { helper, library } = choice
  const { family } = await helper.loaded
  let world: MpiWorld | undefined
  let waitsFor = 'MPI_Init, which waits for the last of the processes'
  const late = (): Error =>
    new Error(`Cannot meet the other processes over MPI: ${waitsFor}, did not return within ${formatDuration(timeout)}`)
  try {
    world = await deadline(helper.world, timeout, late, signal)
    waitsFor = 'the broadcast of rank 0, or MPI_Finalize after it'
    if (world.rank === 0) helper.broadcast('doctor')
    await deadline(helper.finalized, timeout, late, signal)
    return { by: 'broadcast', library, family, world, failure: undefined }
  } catch (error) {
    signal.throwIfAborted()
    return { by: 'broadcast', library, family, world, failure: messageOf(error) }
  } finally {
    helper.kill()
  }
}

/** Judges how the processes of an MPI launcher meet. `identity`: who this one is, by the launcher's variables. */
export function checkMpi(facts: MpiFacts, identity: Identity | undefined): Finding[] {
  if (facts.by === 'file') {
    const said = foundMessage('note', 'mpi', `the processes meet at the scheduler file, because ${facts.why}`)
    if (facts.isUnique) return [said]
    return [
      said,
      problem(
        'this launcher says nothing that is unique to a run, as the scheduler file needs it',
        'give all processes of the run the same word, such as --run-id "$(date +%s)"',
      ),
    ]
  }
  const library = ok(`the processes meet by a broadcast over MPI: ${facts.library}, called as ${facts.family}`)
  if (facts.failure !== undefined) return [library, problem(facts.failure)]
  const { world } = facts
  if (world === undefined || identity === undefined) return [library]
  try {
    checkWorld(identity, world)
    return [library, ok(`all ${world.size} processes have met so`)]
  } catch (error) {
    return [library, foundMessage('problem', 'mpi', messageOf(error))]
  }
}
