import { createSocket } from 'node:dgram'
import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/** One address of a network interface of this host. */
export interface InterfaceAddress {
  /** Name of the interface, such as `eth0`. */
  readonly name: string
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  /** Whether it is a loopback address. */
  readonly internal: boolean
}

/** Every address of this host, link-local ones aside; those of version 4 first. */
export function hostAddresses(): InterfaceAddress[] {
  return (
    Object.entries(networkInterfaces())
      .flatMap(([name, addresses]) =>
        (addresses ?? []).map(({ address, family, internal }) => ({ name, address, family, internal })),
      )
      .filter(({ address }) => !address.startsWith('fe80:'))
      // Not with localeCompare, whose first use takes 6 ms.
      .sort((a, b) => Number(a.family === 'IPv6') - Number(b.family === 'IPv6'))
  )
}

/**
 * The address that `choice` names: an interface, a network such as `10.1.0.0/16`, or several of
 * these in order of preference with commas between them.
 *
 * @throws RangeError where this host has none of them; it lists what there is.
 */
export function chooseAddress(choice: string, addresses: readonly InterfaceAddress[]): string {
  for (const wanted of choice.split(',').map((part) => part.trim())) {
    const matches = wanted.includes('/') ? inNetwork(wanted) : ({ name }: InterfaceAddress) => name === wanted
    const found = addresses.find(matches)
    if (found !== undefined) return found.address
  }
  const known = addresses.map(({ name, address }) => `${name} (${address})`).join(', ')
  throw new RangeError(`Cannot use interface "${choice}": this host has ${known === '' ? 'none' : known}`)
}

function inNetwork(cidr: string): (address: InterfaceAddress) => boolean {
  const [network = '', prefix = ''] = cidr.split('/')
  const family = isIP(network)
  const most = family === 4 ? 32 : 128
  if (family === 0 || !/^\d+$/.test(prefix) || Number(prefix) > most)
    throw new RangeError(`Cannot use interface "${cidr}": a network is written as 10.1.0.0/16`)
  const list = new BlockList()
  list.addSubnet(network, Number(prefix), family === 4 ? 'ipv4' : 'ipv6')
  return ({ address, family: version }) => list.check(address, version === 'IPv4' ? 'ipv4' : 'ipv6')
}

/**
 * The address of this host from which packets to `target` would leave, or undefined where there is no
 * route. Nothing is sent.
 *
 * @param target an IP address
 */
export async function addressTowards(target: string): Promise<string | undefined> {
  const family = isIP(target)
  if (family === 0) return undefined
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6')
  try {
    return await new Promise((resolve) => {
      socket.once('error', () => {
        resolve(undefined)
      })
      // Any port will do: connecting a datagram socket only looks up the route.
      socket.connect(9, target, () => {
        resolve(socket.address().address)
      })
    })
  } finally {
    socket.close()
  }
}
