import { settledWithin } from '../util/wait.ts'
import type { RunParts } from './run-parts.ts'

/** How many processes may ask for the end of a step, and the time between them. */
const [mostCancellers, cancelIntervalMs] = [8, 500]
/** How long a process may take to end after it has told of its end. */
const sweepMs = 1_500

/** The reaper of a supervisor that is stopped ends and clears it by so many parts of the silence later than the others miss it. */
const reaperShare = 8

/** Has the step ended that `silent` ranks would hold; if only its job can be ended, tells how. */
export async function releaseStep({ context, manager }: RunParts, silent: readonly number[]): Promise<void> {
  const { step, endCommand } = manager
  await step?.cancelStep(silent)
  if (step === undefined && endCommand !== undefined)
    context.logger.warn(`rank ${silent.join(', ')} may still hold the job: ${endCommand} ends it`)
}

/**
 * Waits until it is this process's turn to have the step ended; whether it comes to that. What is left of the step is killed then, so that
 * everybody else is given the time to end before.
 *
 * @param silent ranks that fell silent, and may still hold the step
 * @param skew by how much other survivors may come to their end later, in milliseconds
 */
export async function isCanceller(
  { context, shutdown }: RunParts,
  { silent, skew }: { readonly silent: readonly number[]; readonly skew: number },
): Promise<boolean> {
  const { identity, options } = context
  // One is enough: where rank 0 is not among them, each waits for those before it.
  const before = silent.includes(0) ? identity.rank - 1 : 0
  if (silent.length === 0 || before >= mostCancellers) return false
  const delay = sweepMs + options.lostAfter / reaperShare + skew + before * cancelIntervalMs
  return !(await settledWithin(shutdown.happened, delay))
}
