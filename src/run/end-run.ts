import type { RunContext } from '../identity/run-context.ts'
import { adviseOnScript } from '../python/script-advice.ts'
import { formatDuration } from '../util/duration.ts'
import { settledWithin } from '../util/wait.ts'
import type { Absentees } from './absentees.ts'
import type { Coordinator } from './coordinator.ts'
import type { RunParts } from './run-parts.ts'
import type { RunEnd } from './part.ts'
import { patience } from './timing.ts'
import { outcomeOf } from './failure.ts'

/** How long one that was stopped may take to find out that the run is over. */
const wakingMs = 2_000

/** With these statuses ends a program that was not found or cannot be executed, as in a shell. */
const neverBegan: readonly number[] = [126, 127]

/** Said if the client program has ended without a word to the scheduler. Programs that use no Dask are of that kind, too. */
const nobodyCame =
  'no client has connected to the scheduler. If the program meant to use this cluster: perhaps its environment was cleaned ' +
  '(env -i, apptainer exec --cleanenv), so that DASK_SCHEDULER_ADDRESS was missing; or it made a cluster of its own ' +
  '(LocalCluster, SLURMCluster); or its Python is another one'

/**
 * Rank 0 ends last: the others, the scheduler, what was published. Gives the ranks that have never come to a run that has
 * failed: they may be stopped, and hold the step.
 */
export async function endRun(
  run: RunParts,
  coordinator: Coordinator,
  absentees: Absentees,
  { result }: RunEnd,
): Promise<readonly number[]> {
  const { context, components, manager, shutdown, supervisor } = run
  const { options, logger } = context
  const { scheduler } = components
  const { forced } = result
  const failed = result.failure !== undefined
  const interrupted = forced || shutdown.signal !== undefined
  using _look = absentees.look()
  const someMissing = coordinator.missing.length > 0
  await settledWithin(coordinator.everybodyDone, patience(supervisor.timing, { someMissing, failed, interrupted }))
  if (forced) scheduler?.kill()
  await scheduler?.stop(supervisor.timing.scheduler)
  if (options.client && !failed && !forced && !neverBegan.includes(result.status) && scheduler?.hadClient === false)
    await tellNobodyCame(context, interrupted)
  const { missing } = coordinator
  if (missing.length > 0 && !forced) logger.warn(`ended without having seen rank ${missing.join(', ')}`)
  const mayCome = manager.step !== undefined && options.scancel && !forced && missing.length > 0
  await withdraw(run, coordinator, result, missing.length > 0)
  if (options.scancel) {
    await awaitLate(run, coordinator, { mayCome, failed })
    // Nobody needs word of the run if all have come and gone, nor if the step is ended for those that have not come.
    const isWordNeeded = coordinator.missing.length > 0 ? !failed : coordinator.silent.length > 0
    if (mayCome && !isWordNeeded) await withdraw(run, coordinator, result, false)
  }
  await coordinator.close()
  return mayCome && failed ? coordinator.missing : []
}

/** One that was interrupted had perhaps not come to it yet: then a sentence is said only if there is one on its script. */
async function tellNobodyCame(
  { options, roles, schedulerFile, logger }: RunContext,
  interrupted: boolean,
): Promise<void> {
  const client = String(roles.findIndex((each) => each.includes('client')))
  // The program runs in the client's task, and this is rank 0.
  const env = options.env.SLURM_PROCID === '0' ? { ...options.env, SLURM_PROCID: client } : options.env
  const advice = await adviseOnScript(options.command ?? [], { env, schedulerFile })
  const said = advice.filter(({ kind }) => kind === 'idles').map(({ text }) => text)
  if (!interrupted || said.length > 0) logger.info([nobodyCame, ...said].join('. '))
}

/** Waits for ranks that are slow, or were stopped, until it is known which of them may hold the step. */
async function awaitLate(
  { context, manager, shutdown, supervisor }: RunParts,
  coordinator: Coordinator,
  { mayCome, failed }: { readonly mayCome: boolean; readonly failed: boolean },
): Promise<void> {
  const silenceMs = context.options.lostAfter * 1.25
  // One that does not tell of its end is slow, or is found to be silent; so is the host of one that has not come.
  if (coordinator.someUndone) await settledWithin(coordinator.everybodyGone, silenceMs)
  // One that was stopped before it came holds the step as well: awake, it finds the run over.
  if (mayCome) await manager.step?.resumeStep()
  // After an orderly end one that has not come is more likely late than frozen.
  const mayBeFrozen = mayCome && failed
  const toComeMs = mayBeFrozen ? Math.max(0, supervisor.began.getTime() + silenceMs - Date.now()) : 0
  if (toComeMs > 0)
    context.logger.info(
      `waiting ${formatDuration(toComeMs)} for rank ${coordinator.missing.join(', ')}, which has not come: it may be frozen, and hold the step`,
    )
  const waitMs = manager.step?.someDoubtful === true ? silenceMs : Math.max(toComeMs, mayCome ? wakingMs : 0)
  await settledWithin(Promise.race([coordinator.everybodyCame, shutdown.happened]), waitMs)
}

/** Removes what was published; leaves word for whoever comes late. */
async function withdraw(
  { context, hooks, rendezvous }: RunParts,
  coordinator: Coordinator,
  { failure }: RunEnd['result'],
  somebodyMayCome: boolean,
): Promise<void> {
  const word = somebodyMayCome && !hooks.isOnOneHost() ? outcomeOf(context, failure, coordinator.record) : undefined
  await rendezvous.withdraw(word)
}
