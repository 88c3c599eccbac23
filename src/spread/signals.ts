import { endingSignals, userSignals } from '../util/early-signals.ts'

/** The signals that are passed on to each rank. */
export type PassedOn = (typeof endingSignals | typeof userSignals)[number]

/** Whether that is the name of one. */
export function isPassedOn(name: string): name is PassedOn {
  return [...endingSignals, ...userSignals].some((signal) => signal === name)
}
