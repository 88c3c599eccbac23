import { settledWithin } from '../util/wait.ts'
import type { RunParts } from './run-parts.ts'

/** How many processes may ask for the end of a step, and the time between them. */
const [mostCancellers, cancelIntervalMs] = [8, 500]
/** How long a process may take to end after it has told of its end. */
const sweepMs = 1_500

/** The reaper of a supervisor that is stopped ends and clears it by so many parts of the silence later than the others miss it. */
const reaperShare = 8

/** A process that has ended what it hosted, in a run that has lost others. */
export interface Survivor {
  readonly rank: number
  /** Ranks that fell silent, and may still hold the step. */
  readonly silent: readonly number[]
  /** By how much other survivors may come to their end later. In milliseconds. */
  readonly skew: number
  /** Silence after which a process counts as lost. In milliseconds. */
  readonly lostAfter: number
}

/**
 * After how many milliseconds this survivor has the workload manager end the step, unless another has
 * before; undefined where it leaves that to others. It kills whatever is left of the step, so that
 * everybody else is given the time to end before.
 */
export function cancelDelay({ rank, silent, skew, lostAfter }: Survivor): number | undefined {
  if (silent.length === 0) return undefined
  // One is enough: where rank 0 is not among them, each waits for those before it.
  const before = silent.includes(0) ? rank - 1 : 0
  return before >= mostCancellers ? undefined : sweepMs + lostAfter / reaperShare + skew + before * cancelIntervalMs
}

/** Has the step ended that `silent` ranks would hold; if only its job can be ended, tells how. */
export async function releaseStep({ context, manager }: RunParts, silent: readonly number[]): Promise<void> {
  const { step, endCommand } = manager
  await step?.cancelStep(silent)
  if (step === undefined && endCommand !== undefined)
    context.logger.warn(`rank ${silent.join(', ')} may still hold the job: ${endCommand} ends it`)
}

/** Waits until it is this process's turn to have the step ended; whether it comes to that. */
export async function isCanceller(
  { context, shutdown }: RunParts,
  { silent, skew }: Pick<Survivor, 'silent' | 'skew'>,
): Promise<boolean> {
  const { lostAfter } = context.options
  const delay = cancelDelay({ rank: context.identity.rank, silent, skew, lostAfter })
  return delay !== undefined && !(await settledWithin(shutdown.happened, delay))
}
