import { BlockList, isIP } from 'node:net'
import { type InterfaceAddress, orderAddresses } from '../util/network.ts'

/** What is known of this host's addresses and of the hosts that have to reach it. */
export interface AddressFacts {
  /** Every address of this host. */
  readonly addresses: readonly InterfaceAddress[]
  /** For each address of another node of the step: the address of this host that packets to it leave from. */
  readonly towardsNodes: readonly string[]
  /** The same for the host that started the step. */
  readonly towardsLauncher: readonly string[]
  /** What this host's own name stands for here. */
  readonly named: readonly string[]
}

/** What the user asked for. */
export interface AddressWish {
  /** A host name or an address, with or without brackets. */
  readonly host?: string | undefined
  /** An interface, a network such as `10.1.0.0/16`, or several of these in order of preference with commas between. */
  readonly interface?: string | undefined
  /** How messages call the option that has the interface. @default 'interface' */
  readonly name?: string
}

/** An address, and what it was chosen by. */
export interface ChosenAddress {
  readonly address: string
  /**
   * `host`, `listen-address`, `interface`: the user's word. `step`: the network on which the workload manager reaches the other
   * nodes. `name`: what this host's name stands for. `only`: there is no other network. `guess`: nothing told more.
   * `one-host`: loopback, for a run of this host alone.
   */
  readonly by: 'host' | 'listen-address' | 'interface' | 'step' | 'name' | 'only' | 'guess' | 'one-host'
}

/**
 * The address of this host that the other nodes of a run reach, or undefined where it has loopback only,
 * as in a job that is simulated on one host.
 *
 * @throws RangeError where this host has no interface such as the user asked for.
 */
export function chooseAddress(facts: AddressFacts, wish: AddressWish = {}): ChosenAddress | undefined {
  if (wish.host !== undefined) return { address: wish.host.replace(/^\[(.*)\]$/, '$1'), by: 'host' }
  const addresses = orderAddresses(facts.addresses)
  if (wish.interface !== undefined)
    return { address: addressOfInterface(wish.interface, facts.addresses, wish.name), by: 'interface' }
  const reachable = addresses.filter(({ kind }) => kind !== 'loopback' && kind !== 'link-local')
  const best = (own: readonly string[]): InterfaceAddress | undefined =>
    reachable.find(({ address }) => own.includes(address))
  // That packets to another node leave from a bridge or a tunnel is knowledge, too: nodes may be containers.
  const towards = best(facts.towardsNodes) ?? onNetwork(best(facts.towardsLauncher))
  if (towards !== undefined) return { address: towards.address, by: 'step' }
  const named = onNetwork(best(facts.named))
  if (named !== undefined) return { address: named.address, by: 'name' }
  const [first, ...others] = addresses.filter(({ kind }) => kind !== 'loopback')
  if (first === undefined) return undefined
  const isOnly = first.kind === 'network' && others.every(({ name, kind }) => name === first.name || kind !== 'network')
  return { address: first.address, by: isOnly ? 'only' : 'guess' }
}

/** A name that stands for a bridge of this host alone, or a launcher that is seen through it, tells nothing. */
function onNetwork(address: InterfaceAddress | undefined): InterfaceAddress | undefined {
  return address?.kind === 'network' ? address : undefined
}

/**
 * The address that `choice` names: see {@link AddressWish.interface}.
 *
 * @throws RangeError where this host has none of them; it lists what there is.
 */
export function addressOfInterface(choice: string, addresses: readonly InterfaceAddress[], name = 'interface'): string {
  for (const wanted of choice.split(',').map((part) => part.trim())) {
    const matches = wanted.includes('/') ? inNetwork(wanted) : ({ name }: InterfaceAddress) => name === wanted
    const found = orderAddresses(addresses).find(matches)
    if (found !== undefined) return found.address
  }
  const known = addresses.map(({ name, address }) => `${name} (${address})`).join(', ')
  throw new RangeError(`Cannot use ${name} "${choice}": this host has ${known === '' ? 'none' : known}`)
}

function inNetwork(cidr: string): (address: InterfaceAddress) => boolean {
  const [network = '', prefix = ''] = cidr.split('/')
  const list = new BlockList()
  list.addSubnet(network, Number(prefix), isIP(network) === 4 ? 'ipv4' : 'ipv6')
  return ({ address, family: version }) => list.check(address, version === 'IPv4' ? 'ipv4' : 'ipv6')
}
