import { messageOf } from '../../errors.ts'
import type { CompleteOptions } from '../../options.ts'
import type { RunContext } from '../../identity/run-context.ts'
import { checkPlaces } from '../../components/check-places.ts'
import { freePort } from '../../components/free-port.ts'
import { listenHost, plannedScheduler } from '../../components/listen-address.ts'
import { findListeningPlaces, type ListeningPlace } from '../../components/listening-places.ts'
import type { ChosenAddress } from '../../components/choose-address.ts'
import { hostAddresses, type InterfaceAddress, isLoopback } from '../../util/network.ts'
import { about, type Finding, found, foundMessage } from './finding.ts'

const { ok, note, warning, problem } = about('network')

/** Where a part of the cluster would listen. */
export interface ListenFacts {
  readonly component: 'scheduler' | 'worker'
  /** Undefined: Dask listens on every interface, and chooses which address it tells the others. */
  readonly chosen: ChosenAddress | undefined
  /** Why it cannot listen there, or on none of the ports that the options allow. */
  readonly obstacle?: string
}

/** The networks of a host, and what of them a run would use. */
export interface NetworkFacts {
  readonly addresses: readonly InterfaceAddress[]
  readonly listens: readonly ListenFacts[]
  /** Where the run would listen, as this host has it. */
  readonly places: readonly ListeningPlace[]
}

/**
 * Looks at this host's networks.
 *
 * @param run the run that this process would take part in; undefined outside of a job
 * @throws RangeError where the host has no interface such as the options want.
 */
export async function lookAtNetwork(run: RunContext | undefined): Promise<NetworkFacts> {
  const components = (['scheduler', 'worker'] as const).filter(
    (component) => run?.roles[run.identity.rank]?.includes(component) === true,
  )
  const listens: ListenFacts[] = []
  for (const component of components) if (run !== undefined) listens.push(await lookAtListening(component, run))
  return { addresses: hostAddresses(), listens, places: run === undefined ? [] : await findListeningPlaces(run) }
}

async function lookAtListening(component: 'scheduler' | 'worker', run: RunContext): Promise<ListenFacts> {
  const chosen = await listenHost(component, run, component === 'worker' ? await plannedScheduler(run) : undefined)
  try {
    await freePort(component === 'scheduler' ? 'port' : 'workerPort', chosen?.address, run.options)
    await checkPlaces(run.options, [component])
    return { component, chosen }
  } catch (error) {
    return { component, chosen, obstacle: messageOf(error) }
  }
}

/** Judges who can use the ports of a run. */
export function checkOpenPorts(
  { places }: Pick<NetworkFacts, 'places'>,
  { secure }: Pick<CompleteOptions, 'secure'>,
): Finding[] {
  const say = (reach: ListeningPlace['reach']): string =>
    places
      .filter((place) => place.reach === reach && place.what !== 'control')
      .map(({ what, ports }) => `${what} (${ports ?? 'any free one'})`)
      .join(', ')
  const [open, closed] = [say('network'), say('closed')]
  return [
    ...(closed === ''
      ? []
      : [
          ok(
            `closed to all who have no certificate${secure ? ' of the run (--secure)' : ''} are the ports of ${closed}`,
          ),
        ]),
    ...(open === ''
      ? []
      : [note(`anybody on the network can use the ports of ${open}`, ...(secure ? [] : ['--secure closes them']))]),
  ]
}

/** What the findings need to know of the run. */
export interface WantedNetwork {
  readonly options: Pick<CompleteOptions, 'host' | 'interface' | 'schedulerInterface' | 'workerInterface'>
  /** Nodes of the run; 1 outside of a job. */
  readonly nodes: number
}

/** Judges the addresses that a run would use. */
export function checkNetwork({ addresses, listens }: NetworkFacts, wanted: WantedNetwork): Finding[] {
  const outside = addresses.filter(({ kind }) => kind !== 'loopback')
  const said = outside.map(({ name, address }) => `${name} ${address}`).join(', ')
  const findings =
    outside.length === 0
      ? [found(wanted.nodes > 1 ? 'problem' : 'note', 'network', 'this host has no network but loopback')]
      : [ok(said)]
  return [...findings, ...listens.flatMap((listen) => checkListening(listen, addresses, wanted))]
}

function checkListening(
  { component, chosen, obstacle }: ListenFacts,
  addresses: readonly InterfaceAddress[],
  wanted: WantedNetwork,
): Finding[] {
  const where = checkAddress(component, chosen, addresses, wanted)
  return obstacle === undefined ? [where] : [where, foundMessage('problem', 'network', obstacle)]
}

function checkAddress(
  component: ListenFacts['component'],
  chosen: ChosenAddress | undefined,
  addresses: readonly InterfaceAddress[],
  { options, nodes }: WantedNetwork,
): Finding {
  const would = `the ${component} would listen on`
  if (chosen === undefined) return ok(`${would} every interface, as Dask does by default`)
  const { address, by } = chosen
  if (nodes > 1 && isLoopback(address))
    return problem(`${would} ${address}, which no other node reaches`, 'name another --interface or --host')
  const name = addresses.find((each) => each.address === address)?.name
  const at = `${would} ${address}${name === undefined ? '' : ` (${name})`}`
  switch (by) {
    case 'one-host':
      return ok(`${at}: nobody on another host reaches it, unless --interface names a network`)
    case 'host':
      return ok(`${at}, as --host says`)
    case 'listen-address':
      return ok(`${at}, as --listen-address says`)
    case 'interface':
      return ok(`${at}, as ${formatInterface(component, options)} says`)
    case 'step':
      return ok(`${at}, on the network that the workload manager uses`)
    case 'name':
      return note(`${at}, which the name of this host stands for; ${unknown}`)
    case 'only':
      return note(`${at}, the only network of this host; ${unknown}`)
    case 'guess':
      return warning(`${at}, the first that this host has; ${unknown}`, 'name the right one by --interface')
  }
}

const unknown = 'nothing tells whether the other nodes reach it'

function formatInterface(component: ListenFacts['component'], options: WantedNetwork['options']): string {
  const own = component === 'scheduler' ? options.schedulerInterface : options.workerInterface
  return own === undefined ? `--interface ${options.interface ?? ''}` : `--${component}-interface ${own}`
}
