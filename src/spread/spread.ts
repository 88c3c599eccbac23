import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { defaults } from '../defaults.ts'
import type { CompleteOptions } from '../options.ts'
import { type Exit, signalStatus } from '../process/exit.ts'
import { Reaper } from '../process/reaper.ts'
import { unkillableMs } from '../process/supervised.ts'
import { deferred } from '../util/deferred.ts'
import { workingDirectory } from '../util/surroundings.ts'
import { settledWithin, untilAborted } from '../util/wait.ts'
import { clientAmong, endStatus } from './end-status.ts'
import type { Hosts } from './find-hosts.ts'
import { Interruption } from './interruption.ts'
import { OrderDirectory } from './order-directory.ts'
import { environmentToSend, type SpreadOrders } from './orders.ts'
import { formatPlaces, type Place, placesOf, runWords, variablesOf } from './places.ts'
import { StartedRank } from './started-rank.ts'

/** A run that is to be spread over hosts. Times are in milliseconds. */
export interface SpreadOptions extends Hosts {
  readonly per: 'host' | 'slot'
  /** How long the start of a rank may take. */
  readonly startTimeout: number
  /** The command of each rank: `run` and what follows it. */
  readonly args: readonly string[]
  /** What the run itself goes by. */
  readonly run: Pick<CompleteOptions, 'lostAfter' | 'grace' | 'layout' | 'client' | 'scheduler'>
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** Tells people what goes on. */
  readonly say: (text: string) => void
}

/** How much longer than its own time limits a run may take to end, before what is left of it is ended here. */
const patienceMs = 5_000

/** How long a rank may take to end of which nothing is expected any more. */
const releaseMs = 3_000

/** How much longer than the launcher a rank waits for the others to be ready. In milliseconds. */
const beginMargin = 30_000

/** How much of what a job may ask of its filesystem in a second one look of a rank takes: it opens the directory and lists it. */
const looksPerSecond = defaults.metadataBudget / 2

/**
 * Starts a rank on every host, has them begin when all are ready, and passes on signals and output. Returns the run's
 * status when all of them have ended.
 *
 * @throws RunnerError where a rank cannot be started: then none begins, so that nothing of the run is ever there.
 */
export async function spread(options: SpreadOptions): Promise<number> {
  await using reaper = new Reaper()
  const places = placesOf(options.hosts, options.per)
  const ranks: StartedRank[] = []
  using interruption = new Interruption(ranks)
  const plan = planOf(places, options)
  using shared = plan.shared
  try {
    const leaving = { ms: options.startTimeout, signal: interruption.aborted }
    const ordered = plan.ranks.map(({ orders }) => orders)
    await shared?.leave(ordered, reaper, leaving)
    const { starter, env } = options
    for (const { place, orders } of plan.ranks)
      ranks.push(new StartedRank(place, { starter, orders, env, reaper, directory: shared }))
    options.say(`${formatPlaces(places)} by ${options.starter.name}`)
    await untilAborted(Promise.all(ranks.map(async (rank) => rank.ready(options.startTimeout))), interruption.aborted)
  } catch (error) {
    const { first } = interruption
    await endEarly(ranks)
    if (first === undefined) throw error
    return signalStatus(first)
  }
  for (const rank of ranks) rank.begin()
  const client = clientAmong({ ...options.run, size: places.length })
  const { lostAfter, grace } = options.run
  const times = { lostAfter, grace: grace + plan.lookInterval }
  return endStatus(await endsOf(ranks, client, { aborted: interruption.aborted, ...times }), client)
}

/** What the ranks are told, and where that is left if the remote start hands on no input. */
interface Plan {
  readonly ranks: readonly { readonly place: Place; readonly orders: SpreadOrders }[]
  readonly shared: OrderDirectory | undefined
  /** How long a word may take to be heard there, in milliseconds. */
  readonly lookInterval: number
}

function planOf(places: readonly Place[], { args, env, starter, slotsAreCpus, startTimeout }: SpreadOptions): Plan {
  const own = randomBytes(4).toString('hex')
  const words = { ...runWords(env, own), slotsAreCpus }
  const word = `dask-hpc-runner-${randomBytes(16).toString('hex')}`
  const directory = workingDirectory()
  const sent = environmentToSend(env)
  const lookInterval = starter.handsOnInput ? 0 : (places.length / looksPerSecond) * 1_000
  const times = { beginTimeout: startTimeout + beginMargin + 2 * lookInterval, lookInterval }
  const ranks = places.map((place) => ({
    place,
    orders: { word, directory, args, ...times, env: { ...sent, ...variablesOf(place, words) } },
  }))
  const shared = starter.handsOnInput ? undefined : new OrderDirectory(join(directory, `.spread.run-${own}`))
  return { ranks, shared, lookInterval }
}

/** Nothing comes of this run: no rank begins. */
async function endEarly(ranks: readonly StartedRank[]): Promise<void> {
  for (const rank of ranks) if (!rank.isReady) rank.kill()
  await releaseAll(ranks)
}

/** Has every rank end that is still there, and ends its process here where it does not. */
async function releaseAll(ranks: readonly StartedRank[]): Promise<void> {
  for (const rank of ranks) rank.release()
  const ended = Promise.all(ranks.map(async ({ exited }) => exited))
  if (await settledWithin(ended, releaseMs)) return
  for (const rank of ranks) rank.kill()
}

/**
 * The ends of all ranks. A run ends by itself, all of it, when its client or rank 0 has ended, or a signal came: what has
 * not ended some time later cannot tell any more, and is ended here.
 */
async function endsOf(
  ranks: readonly StartedRank[],
  client: number,
  { aborted, lostAfter, grace }: Pick<CompleteOptions, 'lostAfter' | 'grace'> & { readonly aborted: AbortSignal },
): Promise<readonly Exit[]> {
  const released = deferred<Exit>()
  const all = Promise.all(ranks.map(async ({ exited }) => Promise.race([exited, released.promise])))
  const deciding = [0, client].map(async (rank) => ranks[rank]?.exited)
  const ms = await untilAborted(Promise.race([all, ...deciding]), aborted).then(
    () => lostAfter,
    () => grace,
  )
  if (!(await settledWithin(all, ms + patienceMs))) {
    await releaseAll(ranks)
    await settledWithin(all, unkillableMs)
    // What does not even end by that is left to the reaper.
    released.resolve({ status: null, signal: 'SIGKILL', forced: true })
  }
  return await all
}
