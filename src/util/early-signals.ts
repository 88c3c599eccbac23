import { ignoresHangup } from './nohup.ts'

/** The signals that end a run. */
export const endingSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
export type EndingSignal = (typeof endingSignals)[number]

/** USR1 and USR2 are the user's. */
export const userSignals = ['SIGUSR1', 'SIGUSR2'] as const

let held: EndingSignal | undefined
let ignored: readonly EndingSignal[] = []

/** Those of them that end this process: under `nohup` HUP does not. */
export function heededSignals(): readonly EndingSignal[] {
  return endingSignals.filter((signal) => !ignored.includes(signal))
}

/**
 * Keeps the signals of a workload manager from ending this process before anybody handles them: one
 * that ends a run is held until {@link takeHeldSignal}, those of the user have nobody to go to yet.
 * (Node's own answer to USR1 would be to open its inspector.)
 */
export function holdSignals(): void {
  if (ignoresHangup()) ignored = ['SIGHUP']
  for (const signal of [...userSignals, ...ignored]) process.on(signal, () => undefined)
  for (const signal of heededSignals())
    process.on(signal, () => {
      held ??= signal
    })
}

/** The signal that came before anybody handled it, if any; it is given once. */
export function takeHeldSignal(): EndingSignal | undefined {
  const signal = held
  held = undefined
  return signal
}

/** Lets the signals that end a run end this process as they end any other, where it has nothing to end or to remove first. */
export function releaseSignals(): void {
  for (const signal of heededSignals()) process.removeAllListeners(signal)
  const signal = takeHeldSignal()
  if (signal !== undefined) process.kill(process.pid, signal)
}
