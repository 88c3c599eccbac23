import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Identity } from '../identity/identity.ts'
import { otherSlurmNodes } from '../identity/node-list.ts'
import { nameOf } from '../options.ts'
import { type AddressFacts, chooseAddress, type ChosenAddress } from './choose-address.ts'
import {
  addressTowards,
  hostAddresses,
  hostAndPort,
  isLinkLocal,
  hostOf,
  isLoopback,
  ownAddresses,
} from '../util/network.ts'
import { deadline } from '../util/wait.ts'
import type { RunContext } from '../identity/run-context.ts'

/** How long a name may take to resolve, and so where the launcher's address tells enough. In milliseconds. */
const [lookupTimeout, shortLookupTimeout] = [2_000, 500]

/** So many other nodes are looked up: one would do, unless it is one whose name does not resolve. */
const mostNodes = 3

/** What decides where a process of a run listens. */
export type ListenContext = Pick<RunContext, 'options' | 'identity'>

/** Where a run of one host listens: nobody else has to reach it. A host with version 6 alone has this address, too. */
const loopback: ChosenAddress = { address: '127.0.0.1', by: 'one-host' }

/**
 * The host that a component of this process listens on: for a worker that of `--listen-address`; `--host`, or the address of the interface
 * that the options name, or loopback where the run has one node, or else an address that other nodes reach.
 * Undefined where Dask may choose.
 *
 * @param schedulerAddress for a worker: its own address is the one from which packets to the scheduler leave
 * @throws RangeError where this host has no interface such as the options want.
 */
export async function listenHost(
  component: 'scheduler' | 'worker',
  { options, identity }: ListenContext,
  schedulerAddress?: string,
): Promise<ChosenAddress | undefined> {
  if (component === 'worker' && options.listenAddress !== undefined) {
    // Without a host, as in tcp://:9000, it is every interface.
    const address = hostOf(options.listenAddress)
    return address === undefined ? undefined : { address, by: 'listen-address' }
  }
  const own = component === 'scheduler' ? 'schedulerInterface' : 'workerInterface'
  const option = options[own] === undefined ? 'interface' : own
  const wish = { host: options.host, interface: options[option], name: nameOf(options, option) }
  if (wish.host !== undefined || wish.interface !== undefined) return chooseAddress(interfacesAlone(), wish)
  const scheduler = schedulerAddress === undefined ? undefined : hostOf(schedulerAddress)
  const ofScheduler = scheduler === undefined ? [] : await resolve(scheduler, lookupTimeout)
  const isBeside = scheduler === undefined || isLoopback(scheduler) || isAllLoopback(ofScheduler)
  if (identity.nodes === 1 && isBeside) return loopback
  const towardsScheduler = await towards(ofScheduler)
  const facts = identity.nodes === 1 ? interfacesAlone() : await addressFacts(identity, options.env)
  return chooseAddress(towardsScheduler.length === 0 ? facts : { ...facts, towardsNodes: towardsScheduler })
}

/** The address, without its port, that the scheduler of a run of one host would have. */
export async function plannedScheduler(run: ListenContext): Promise<string | undefined> {
  if (!run.options.scheduler || run.identity.nodes !== 1) return undefined
  const chosen = await listenHost('scheduler', run)
  return chosen === undefined ? undefined : `tcp://${hostAndPort(chosen.address, 0)}`
}

/** Whether nothing of this run, its control channel included, has to be reached from another host. */
export async function staysOnHost(run: ListenContext): Promise<boolean> {
  if (run.identity.nodes !== 1) return false
  // That the user has asked for what is not there is said when the scheduler starts.
  const chosen = await listenHost('scheduler', run).catch(() => undefined)
  return chosen !== undefined && isLoopback(chosen.address)
}

/** Where the other processes of the run may reach this one, the likeliest first: where its scheduler would listen. */
export async function controlAddresses(run: ListenContext): Promise<string[]> {
  // That the user has asked for what is not there is said when the scheduler starts.
  const chosen = await listenHost('scheduler', run).catch(() => undefined)
  const own = ownAddresses()
  const first = own.filter((address) => address === chosen?.address)
  return [...new Set([...first, ...own])]
}

function interfacesAlone(): AddressFacts {
  return { addresses: hostAddresses(), towardsNodes: [], towardsLauncher: [], named: [] }
}

const known = new WeakMap<Identity, Promise<AddressFacts>>()

/** What tells which of this host's addresses the other nodes reach; it is looked up once. */
async function addressFacts(identity: Identity, env: NodeJS.ProcessEnv): Promise<AddressFacts> {
  let facts = known.get(identity)
  if (facts === undefined) known.set(identity, (facts = lookUpFacts(identity, env)))
  return await facts
}

async function lookUpFacts({ host, launcherAddresses = [] }: Identity, env: NodeJS.ProcessEnv): Promise<AddressFacts> {
  const addresses = hostAddresses()
  const own = new Set(addresses.map(({ address }) => address))
  const towardsLauncher = await towards(launcherAddresses)
  const tells = addresses.some(({ address, kind }) => kind === 'network' && towardsLauncher.includes(address))
  const timeout = tells ? shortLookupTimeout : lookupTimeout
  const nodes = otherSlurmNodes(env, host).slice(0, mostNodes)
  const [ofNodes, named] = await Promise.all([
    Promise.all(nodes.map(async (node) => await resolve(node, timeout))),
    resolve(host, timeout),
  ])
  // An address of another node that is this host's, too, is one that every host has.
  const towardsNodes = await towards(ofNodes.flat().filter((address) => !own.has(address)))
  return { addresses, towardsNodes, towardsLauncher, named }
}

/** The addresses of this host from which packets to `targets` leave, without those that stay within the host or the cable. */
async function towards(targets: readonly string[]): Promise<readonly string[]> {
  const outside = targets.filter((target) => !isLoopback(target) && !isLinkLocal(target))
  const all = await Promise.all(outside.map(addressTowards))
  return all.filter((address) => address !== undefined)
}

function isAllLoopback(addresses: readonly string[]): boolean {
  return addresses.length > 0 && addresses.every(isLoopback)
}

/** The addresses of a name; none where it does not resolve in time. */
async function resolve(name: string, timeout: number): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name]
  const found = lookup(name, { all: true })
  const addresses = await deadline(found, timeout, () => new Error('no answer')).catch(() => [])
  return addresses.map(({ address }) => address)
}
