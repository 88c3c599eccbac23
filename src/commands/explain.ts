import { type ChosenRunner, chooseRunner, type RunnerKind } from '../runners/choose-runner.ts'
import type { CompleteOptions } from '../options.ts'
import { Reaper } from '../process/reaper.ts'
import { chooseLibrary } from '../runners/mpi/choose-library.ts'

/** Which runner takes part, and how its processes meet. */
export interface Explanation {
  /** For people: a line each. */
  readonly text: string
  /** Whether they meet at the scheduler file, and look for it. */
  readonly atFile: boolean
}

/** Finds out how the processes would meet. */
export async function explainRunner(options: CompleteOptions, wanted: 'auto' | RunnerKind): Promise<Explanation> {
  const runner = chooseRunner(options.env, wanted)
  const rendezvous = await explainRendezvous(options, runner)
  return {
    text: `runner: ${runner.kind}, because ${runner.why}\nrendezvous: ${rendezvous}`,
    atFile: !rendezvous.startsWith('by'),
  }
}

async function explainRendezvous(options: CompleteOptions, { kind }: ChosenRunner): Promise<string> {
  if (kind === 'slurm') return 'at the scheduler file'
  await using reaper = new Reaper()
  const rendezvous = await chooseLibrary(options, { reaper, initialise: false })
  return rendezvous.by === 'broadcast'
    ? `by a broadcast over MPI: ${rendezvous.library}; a scheduler file is written where --scheduler-file names one`
    : `at the scheduler file, because ${rendezvous.why}`
}
