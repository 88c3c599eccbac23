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
  const { text, atFile } = await explainRendezvous(options, runner)
  return { text: `runner: ${runner.kind}, because ${runner.why}\nrendezvous: ${text}`, atFile }
}

async function explainRendezvous(options: CompleteOptions, { kind }: ChosenRunner): Promise<Explanation> {
  if (kind === 'slurm') return { text: 'at the scheduler file', atFile: true }
  await using reaper = new Reaper()
  const choice = await chooseLibrary(options, { reaper, initialise: false })
  if (choice.by === 'file') return { text: `at the scheduler file, because ${choice.why}`, atFile: true }
  const also = 'a scheduler file is written where --scheduler-file names one'
  return { text: `by a broadcast over MPI: ${choice.library}; ${also}`, atFile: false }
}
