import { defaults } from '../defaults.ts'
import type { Failure } from '../record/outcome-record.ts'
import { formatDuration } from '../util/duration.ts'
import type { RunContext } from '../identity/run-context.ts'
import type { Coordinator } from './coordinator.ts'
import { showProgress } from '../util/run-progress.ts'

/** How often process 0 looks for word of processes that will not come. In milliseconds. */
export const departureInterval = 250

/** What process 0 needs to wait for the other processes. */
export interface WaitForOthersOptions {
  readonly run: RunContext
  /** Why nobody can come, where that shows. */
  readonly whyNobodyComes: () => Promise<Failure | undefined>
  /** Looks for word of processes that will not come. */
  readonly lookForEarlyExits: () => void
  /** Settles when the run is over before everybody has come. */
  readonly over: Promise<unknown>
}

/** Nobody may wait for ever for a process that cannot come, or for the client's: process 0 sees to that. */
export function waitForOthers(coordinator: Coordinator, options: WaitForOthersOptions): void {
  const { run, whyNobodyComes, lookForEarlyExits, over } = options
  const { rendezvousTimeout } = run.options
  const early = setTimeout(() => {
    void whyNobodyComes().then((failure) => {
      if (failure === undefined) return
      coordinator.fail(failure)
      for (const rank of coordinator.missing) coordinator.depart({ rank })
    })
  }, defaults.notSharedAfterMs)
  const late = setTimeout(() => {
    coordinator.failWithoutClient(formatDuration(rendezvousTimeout))
  }, rendezvousTimeout)
  const look = setInterval(lookForEarlyExits, departureInterval)
  const progress = showProgress(run, () => {
    const { missing } = coordinator
    const more = missing.length > 5 ? ` and ${missing.length - 5} more` : ''
    return `waiting for process ${missing.slice(0, 5).join(', ')}${more} of ${run.identity.size}`
  })
  void Promise.race([coordinator.everybodyCame, over]).then(() => {
    for (const timer of [early, late, look]) clearTimeout(timer)
    progress[Symbol.dispose]()
  })
  for (const timer of [early, late, look]) timer.unref()
}
