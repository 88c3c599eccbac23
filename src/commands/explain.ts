import { chooseRunner, type RunnerKind } from '../runners/choose-runner.ts'
import { kinds, type Meeting } from '../runners/kinds.ts'
import type { CompleteOptions } from '../options.ts'

/** Which runner takes part and why, and how its processes would meet: a line each. */
export async function explainRunner(options: CompleteOptions, wanted: 'auto' | RunnerKind): Promise<Meeting> {
  const { kind, why } = chooseRunner(options, wanted)
  const { text, atFile } = await kinds[kind].meeting(options)
  return { text: `runner: ${kind}, because ${why}\nrendezvous: ${text}`, atFile }
}
