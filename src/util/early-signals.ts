/** The signals that end a run. */
export const endingSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
export type EndingSignal = (typeof endingSignals)[number]

/** USR1 and USR2 are the user's. */
export const userSignals = ['SIGUSR1', 'SIGUSR2'] as const

let held: EndingSignal | undefined

/**
 * Keeps the signals of a workload manager from ending this process before anybody handles them: one
 * that ends a run is held until {@link takeHeldSignal}, those of the user have nobody to go to yet.
 * (Node's own answer to USR1 would be to open its inspector.)
 */
export function holdSignals(): void {
  for (const signal of endingSignals)
    process.on(signal, () => {
      held ??= signal
    })
  for (const signal of userSignals) process.on(signal, () => undefined)
}

/** The signal that came before anybody handled it, if any; it is given once. */
export function takeHeldSignal(): EndingSignal | undefined {
  const signal = held
  held = undefined
  return signal
}

/** Lets the signals that end a run end this process as they end any other, where it has nothing to end or to remove first. */
export function releaseSignals(): void {
  for (const signal of endingSignals) process.removeAllListeners(signal)
  const signal = takeHeldSignal()
  if (signal !== undefined) process.kill(process.pid, signal)
}
