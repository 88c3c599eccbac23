import type { DaskProcess } from '../python/dask-process.ts'
import { formatDuration } from '../util/duration.ts'
import { settledWithin } from '../util/wait.ts'
import type { RunContext } from '../identity/run-context.ts'
import type { Hub } from './hub.ts'
import { type EndingRun, type EndTiming, patience } from './timing.ts'
import { departureInterval } from './wait-for-others.ts'

/** What process 0 needs to end the run. */
export interface EndRunOptions {
  readonly run: RunContext
  readonly timing: EndTiming
  readonly ending: Omit<EndingRun, 'someMissing'>
  /** Nothing has a grace any more. */
  readonly forced: boolean
  readonly scheduler: DaskProcess | undefined
  readonly lookForEarlyExits: () => void
  /** Whether it is still being found out if a missing process can come. */
  readonly someDoubtful: () => boolean
  /** Processes that have not come are not left behind: the step is ended under them. */
  readonly canReleaseStep: boolean
  /** Lets the processes of the step go on that are stopped. Does not throw. */
  readonly wakeStep: () => Promise<void>
  /** When the run began. */
  readonly began: Date
  /** Resolves when a signal ends the run. */
  readonly interrupted: Promise<unknown>
  /** Removes what was published; leaves word for those who come late where `somebodyMayCome`. */
  readonly withdraw: (somebodyMayCome: boolean) => Promise<void>
}

/** How long one that was stopped may take to find out that the run is over. In milliseconds. */
const wakingTime = 2_000

/** Said where the client program has ended without a word to the scheduler. Programs that use no Dask are of that kind, too. */
const nobodyCame =
  'no client has connected to the scheduler. If the program meant to use this cluster: perhaps its environment was cleaned ' +
  '(env -i, apptainer exec --cleanenv), so that DASK_SCHEDULER_ADDRESS was missing; or it made a cluster of its own ' +
  '(Client(n_workers=…), LocalCluster); or its Python is another one'

/** Process 0 ends last: the others, the scheduler, what was published. */
export async function endRun(hub: Hub, options: EndRunOptions): Promise<void> {
  const { run, timing, ending, forced, scheduler, canReleaseStep } = options
  const { coordinator } = hub
  const look = setInterval(options.lookForEarlyExits, departureInterval)
  const waited = patience(timing, { ...ending, someMissing: coordinator.missing.length > 0 })
  await settledWithin(coordinator.everybodyDone, waited)
  if (forced) scheduler?.kill()
  await scheduler?.stop(timing.scheduler)
  const isOrderly = run.options.client && !ending.failed && !ending.interrupted
  if (isOrderly && scheduler?.hadClient === false) run.logger.info(nobodyCame)
  const { missing } = coordinator
  if (missing.length > 0 && !forced) run.logger.warn(`ended without having seen process ${missing.join(', ')}`)
  const mayCome = canReleaseStep && !forced && missing.length > 0
  await options.withdraw(missing.length > 0)
  if (run.options.scancel) {
    const judged = run.options.lostAfter * 1.25
    // One that does not tell of its end is slow, or is found to be silent; so is the host of one that has not come.
    if (coordinator.someUndone) await settledWithin(coordinator.everybodyGone, judged)
    // One that was stopped before it came holds the step as well: awake, it finds the run over.
    if (mayCome) await options.wakeStep()
    // After an orderly end one that has not come is more likely late than frozen.
    const toCome = mayCome && ending.failed ? Math.max(0, options.began.getTime() + judged - Date.now()) : 0
    if (toCome > 0)
      run.logger.info(
        `giving process ${coordinator.missing.join(', ')} ${formatDuration(toCome)} to come: it may be frozen, and hold the step`,
      )
    const wait = options.someDoubtful() ? judged : Math.max(toCome, mayCome ? wakingTime : 0)
    await settledWithin(Promise.race([coordinator.everybodyCame, options.interrupted]), wait)
    if (mayCome && ending.failed) for (const rank of coordinator.missing) coordinator.depart({ rank, silent: true })
    // Where all have come and gone, nobody needs word of the run.
    if (mayCome && coordinator.missing.length + coordinator.silent.length === 0) await options.withdraw(false)
  }
  clearInterval(look)
  await hub.close()
}
