import { setTimeout as sleep } from 'node:timers/promises'
import { type FaultRun, formatProcesses } from './fault-run.ts'
import type { Slowness } from './slowness.ts'
import type { Step } from './step.ts'
import type { Struck } from './strikes.ts'

/** How a run ended, in seconds from a moment on; undefined for what has not ended. */
export interface End {
  /** The last of its processes on all hosts that can be asked, but those that the fault has stopped or that wait for one of these. */
  readonly processes: number | undefined
  /** These, too. */
  readonly all: number | undefined
  readonly srun: number | undefined
  /** What is left at the end of the watch. */
  readonly left: string
}

/** Watches a run until it is all over, for at most `patience` seconds from `since` on, which are longer ones on a slow machine. */
export async function watch(
  run: FaultRun,
  step: Step,
  {
    struck,
    since,
    patience,
    slowness,
  }: { struck: Struck; since: number; patience: number; slowness?: Slowness | undefined },
): Promise<End> {
  const ends: { -readonly [K in keyof End]: End[K] } = {
    processes: undefined,
    all: undefined,
    srun: undefined,
    left: '',
  }
  for (;;) {
    const now = (performance.now() - since) / 1000
    const left = run.processes().filter(({ host }) => host !== struck.silent)
    const free = left.filter(({ pid, host }) => host !== struck.held && !struck.stopped.has(pid))
    // What is empty now may be filled again, by a process that starts late.
    ends.processes = free.length === 0 ? (ends.processes ?? now) : undefined
    ends.all = left.length === 0 ? (ends.all ?? now) : undefined
    if (step.status !== undefined) ends.srun ??= now
    ends.left = formatProcesses(left)
    if ((ends.all !== undefined && ends.srun !== undefined) || now > patience * (slowness?.factor ?? 1)) return ends
    await sleep(150)
  }
}
