import { lookup } from 'node:dns/promises'
import { RunnerError } from '../errors.ts'
import type { Role } from '../identity/roles.ts'
import { type CompleteOptions, nameOf } from '../options.ts'
import { hostOf } from '../util/network.ts'
import { portProblem } from '../util/ports.ts'
import { deadline } from '../util/wait.ts'
import { hostsIn } from './listening-places.ts'
import type { RunContext } from '../identity/run-context.ts'
import { freePort, lookupTimeout, portToListenOn } from './free-port.ts'
import { listenHost } from './listen-address.ts'

/** What names a place at which a part of the cluster listens, or is to be found. */
type PlaceOption = 'dashboardAddress' | 'contactAddress' | 'listenAddress'
type PlaceOptions = Pick<CompleteOptions, PlaceOption | 'workerCommand' | 'sources'>

/**
 * Tries the places that options name for what this process hosts: a host that is not here would end Dask with a traceback, once
 * the rest of the cluster has begun.
 *
 * @throws RangeError where a place is none of this host, RunnerError ERR_UNAVAILABLE where something else listens there.
 */
export async function checkPlaces(options: PlaceOptions, mine: readonly Role[]): Promise<void> {
  const { dashboardAddress, contactAddress, listenAddress, workerCommand } = options
  if (mine.includes('scheduler')) {
    // Where the port is taken, or not for an ordinary user, Dask has its dashboard at another.
    for (const host of dashboardAddress === undefined ? [] : hostsIn(dashboardAddress))
      if (host !== undefined) await tryPlace('dashboardAddress', host, 0, options)
    // The scheduler looks the name of each worker up.
    if (contactAddress !== undefined) await tryName(hostOf(contactAddress) ?? '', options)
  }
  if (mine.includes('worker') && listenAddress !== undefined && workerCommand === undefined)
    await tryPlace('listenAddress', hostOf(listenAddress), Number(/\d+$/.exec(listenAddress)?.[0]), options)
}

async function tryPlace(
  option: PlaceOption,
  host: string | undefined,
  port: number,
  options: PlaceOptions,
): Promise<void> {
  const place = formatUse(option, options)
  await portToListenOn({ first: port, last: port }, host, { ports: place, host: place })
}

async function tryName(host: string, options: PlaceOptions): Promise<void> {
  const refuse = (why: string): RangeError => new RangeError(`Cannot ${formatUse('contactAddress', options)}: ${why}`)
  const late = (): Error => refuse(`the name ${host} does not resolve`)
  try {
    await deadline(lookup(host), lookupTimeout, late)
  } catch (error) {
    if (error instanceof RangeError) throw error
    throw refuse(portProblem(error, { first: 0, last: 0 }, host).why)
  }
}

function formatUse(option: PlaceOption, options: PlaceOptions): string {
  return `use ${nameOf(options, option)} "${options[option] ?? ''}"`
}

/**
 * Tries the ports that the run's workers are to use, before anything is started. That a user may not listen there every
 * process can tell; that something else does, only one that has workers and knows already on which of its addresses they listen.
 *
 * @throws what {@link freePort} throws.
 */
export async function checkWorkerPorts(run: RunContext, mine: readonly Role[]): Promise<void> {
  const { options, roles, identity } = run
  if (options.workerCommand !== undefined || !roles.some((each) => each.includes('worker'))) return
  const isMine = mine.includes('worker')
  const isKnown = options.scheduler && (identity.nodes === 1 || options.host !== undefined)
  const host = isMine && isKnown ? (await listenHost('worker', run))?.address : undefined
  for (const option of ['workerPort', 'nannyPort'] as const) {
    if (options[option] === undefined || (option === 'nannyPort' && !options.nanny)) continue
    try {
      await freePort(option, host, options)
    } catch (error) {
      const isTaken = error instanceof RunnerError && error.code === 'ERR_UNAVAILABLE'
      if (!isTaken || host !== undefined) throw error
    }
  }
}
