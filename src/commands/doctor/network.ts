import { isLoopback } from '../../control/reach.ts'
import type { CompleteOptions } from '../../options.ts'
import type { RunContext } from '../../runner/context.ts'
import { listenHost } from '../../runner/listen-address.ts'
import { findFreePort, readPorts } from '../../util/ports.ts'
import { hostAddresses, type InterfaceAddress } from '../../util/network.ts'
import { type Finding, found } from './finding.ts'

/** Where a part of the cluster would listen. */
export interface ListenFacts {
  readonly component: 'scheduler' | 'worker'
  /** Undefined: Dask listens on every interface, and chooses which address it tells the others. */
  readonly host: string | undefined
  /** False where all ports that the options allow are taken. */
  readonly portFree: boolean
}

/** The networks of a host, and what of them a run would use. */
export interface NetworkFacts {
  readonly addresses: readonly InterfaceAddress[]
  readonly listens: readonly ListenFacts[]
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
  return { addresses: hostAddresses(), listens }
}

async function lookAtListening(component: 'scheduler' | 'worker', run: RunContext): Promise<ListenFacts> {
  const host = await listenHost(component, run)
  const ports = portsOf(component, run.options)
  const portFree = ports === undefined || (await findFreePort(readPorts('port', ports), host)) !== undefined
  return { component, host, portFree }
}

/** The ports that the options allow. */
export function portsOf(component: 'scheduler' | 'worker', options: CompleteOptions): string | undefined {
  return component === 'scheduler' ? options.port : options.workerPort
}

/** What of the run matters to the judgement. */
export interface WantedNetwork {
  readonly options: Pick<
    CompleteOptions,
    'host' | 'interface' | 'schedulerInterface' | 'workerInterface' | 'port' | 'workerPort'
  >
  /** Nodes of the run; 1 outside of a job. */
  readonly nodes: number
}

/** Judges the addresses that a run would use. */
export function judgeNetwork({ addresses, listens }: NetworkFacts, wanted: WantedNetwork): Finding[] {
  const outside = addresses.filter(({ internal }) => !internal)
  const said = outside.map(({ name, address }) => `${name} ${address}`).join(', ')
  const findings =
    outside.length === 0
      ? [found(wanted.nodes > 1 ? 'problem' : 'note', 'network', 'this host has no network but loopback')]
      : [found('ok', 'network', said)]
  return [...findings, ...listens.flatMap((listen) => judgeListening(listen, addresses, wanted))]
}

function judgeListening(
  { component, host, portFree }: ListenFacts,
  addresses: readonly InterfaceAddress[],
  { options, nodes }: WantedNetwork,
): Finding[] {
  const findings: Finding[] = []
  const name = addresses.find(({ address }) => address === host)?.name
  if (host === undefined)
    findings.push(found('ok', 'network', `the ${component} would listen on every interface, as Dask does by default`))
  else if (nodes > 1 && isLoopback(host))
    findings.push(
      found(
        'problem',
        'network',
        `the ${component} would listen on ${host}, which no other node reaches`,
        'name another --interface or --host',
      ),
    )
  else
    findings.push(
      found(
        'ok',
        'network',
        `the ${component} would listen on ${host}${name === undefined ? '' : ` (${name})`}, ${reason(component, options)}`,
      ),
    )
  const ports = component === 'scheduler' ? options.port : options.workerPort
  if (!portFree)
    findings.push(
      found('problem', 'network', `something listens on port ${ports ?? '?'} already`, 'name a range or another port'),
    )
  return findings
}

function reason(component: 'scheduler' | 'worker', options: WantedNetwork['options']): string {
  if (options.host !== undefined) return 'as --host says'
  const own = component === 'scheduler' ? options.schedulerInterface : options.workerInterface
  if (own !== undefined) return `as --${component}-interface ${own} says`
  if (options.interface !== undefined) return `as --interface ${options.interface} says`
  return 'on the network that the workload manager uses'
}
