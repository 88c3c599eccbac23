import { lookup } from 'node:dns/promises'
import type { CompleteOptions } from '../options.ts'
import { addressTowards, chooseAddress, hostAddresses } from '../util/network.ts'
import { deadline } from '../util/wait.ts'
import type { RunContext } from './context.ts'

/** How long a name may take to resolve. In milliseconds. */
const lookupTimeout = 2_000

/**
 * The host that a component of this process listens on: `--host`, or the address of the interface
 * that the options name, or, where the run has several nodes, an address that the other nodes reach.
 * Undefined where Dask may choose.
 *
 * @throws RangeError where this host has no such interface.
 */
export async function listenHost(component: 'scheduler' | 'worker', run: RunContext): Promise<string | undefined> {
  const { options, identity } = run
  if (options.host !== undefined) return options.host
  const choice = interfaceOf(component, options)
  if (choice !== undefined) return chooseAddress(choice, hostAddresses())
  return identity.nodes > 1 ? await reachableAddress(run) : undefined
}

function interfaceOf(component: 'scheduler' | 'worker', options: CompleteOptions): string | undefined {
  return (component === 'scheduler' ? options.schedulerInterface : options.workerInterface) ?? options.interface
}

/**
 * The address of this host on the network of the workload manager, which all nodes are on. Dask
 * itself takes that of the default route, and 127.0.0.1 where there is none. Undefined where this host
 * has loopback only, as in a job that is simulated on one host.
 */
async function reachableAddress({ identity }: RunContext): Promise<string | undefined> {
  const own = hostAddresses().filter(({ internal }) => !internal)
  const isOwn = (address: string | undefined): address is string =>
    own.some((candidate) => candidate.address === address)
  const towards = identity.launcher === undefined ? undefined : await addressTowards(identity.launcher)
  if (isOwn(towards)) return towards
  const named = await deadline(lookup(identity.host), lookupTimeout, () => new Error('no answer')).catch(
    () => undefined,
  )
  if (isOwn(named?.address)) return named.address
  return own[0]?.address
}
