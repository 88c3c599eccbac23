/** The sentence that names each cause, as the runner's error line has it. */

export const schedulerKilled = /scheduler\b.*\bSIGKILL/i
export const schedulerStopped = /scheduler\b.* (stopped|frozen|suspended)/i
export const clientKilled = /client program\b.*\bSIGKILL/i
export const clientTerminated = /client program\b.*\bSIGTERM/i
export const clientStopped = /client program\b.* (stopped|frozen|suspended)/i
export const terminated = /^\d: \[\d \w+\] .*\bSIGTERM\b/m
export const any = /./

/** Not errors: what is told of a worker while the run goes on. */
export const workerAgain = /worker 2\b.*\bSIGKILL.*(again|restart)/i
export const workerStopped = /worker 2\b.* (stopped|frozen|suspended)/i

/** A process that ended without a word. */
export function lostProcess(rank: number): RegExp {
  return new RegExp(`rank ${rank}\\b.*\\bon \\S*node`, 'i')
}

/** A process, host or link of which nothing is heard. */
export function silent(rank: number): RegExp {
  return new RegExp(`rank ${rank}\\b.*\\bon \\S*node.*(silent|heard|frozen|stopped|sign)`, 'i')
}

/** A component that cannot start, with why. */
export function cannotStart(what: string, why: string): RegExp {
  return new RegExp(`cannot (start|find|use|run)\\b.*${what}.*${why}`, 'i')
}
