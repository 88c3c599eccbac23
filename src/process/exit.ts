import { constants } from 'node:os'
import { formatOutOfMemory, type OutOfMemory } from './out-of-memory.ts'

/** How a process ended. */
export interface Exit {
  /** Its exit status, or null where a signal ended it. */
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  /** Whether we killed it because it had not ended in the time it was given. */
  readonly forced: boolean
  /** Why we killed it, where that was not the time it was given. */
  readonly why?: string
  /** That the kernel killed it, or a process that it had started, because memory had run out. */
  readonly outOfMemory?: OutOfMemory
}

/** The exit status as a shell has it: 128+n for signal n. */
export function shellStatus(exit: Exit): number {
  return exit.signal === null ? (exit.status ?? 1) : signalStatus(exit.signal)
}

/** 128+n, the status of what signal n ended. */
export function signalStatus(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

/** An exit in words: `exited with status 3`, `was killed by SIGKILL`, and why. */
export function formatExit(exit: Exit): string {
  const how = exit.signal === null ? `exited with status ${exit.status ?? 1}` : `was killed by ${exit.signal}`
  if (exit.forced) return `${how} (${exit.why ?? 'it had not ended in time'})`
  if (exit.outOfMemory === undefined) return how
  const who = exit.signal === null ? 'a process that it had started' : 'it'
  return `${how}: the kernel killed ${who} because ${formatOutOfMemory(exit.outOfMemory)}`
}
