import { createSocket } from 'node:dgram'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile, readlink } from 'node:fs/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/**
 * What an address is good for, the best first: `network` for other hosts, as far as can be seen; `tunnel`
 * for the other end of a point-to-point link; `bridge` for containers and virtual machines of its own
 * host, on which each host has the same address; `link-local` for what is on the same cable, such as the
 * host's service processor; `loopback` for its own host.
 */
export const networkKinds = ['network', 'tunnel', 'bridge', 'link-local', 'loopback'] as const
export type NetworkKind = (typeof networkKinds)[number]

/** One address of a network interface of this host. */
export interface InterfaceAddress {
  /** Name of the interface, such as `eth0`. */
  readonly name: string
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly kind: NetworkKind
}

/** Bridges, and their like, that container runtimes, hypervisors and Kubernetes make on every host. */
const bridges =
  /^(docker|br-(?!ex$)|virbr|vmnet|vboxnet|veth|lxc|lxdbr|incusbr|cni|podman|nerdctl|cbr|sbr|mpqemubr|waydroid|hassio|antrea|ovn-|ovs-|genev_sys|kube|cali|cilium|flannel|weave|nodelocaldns|dummy)/
const tunnels = /^(tun|tap|ppp|wg|tailscale|utun|zt|gre|gretap|sit|tunl|ip6tnl|ipip|vti|ovpn|vpn|nebula|vxlan)/

/** Every address of this host, those of version 6 of the link alone aside; those of version 4 first. */
export function hostAddresses(): InterfaceAddress[] {
  return (
    Object.entries(networkInterfaces())
      .flatMap(([name, addresses]) =>
        (addresses ?? []).map(({ address, family, internal }) => ({
          ...{ name, address, family },
          kind: internal ? 'loopback' : kindOf(name, address),
        })),
      )
      // Without the interface's name beside them, these lead nowhere.
      .filter(({ address, family }) => family === 'IPv4' || !isLinkLocal(address))
      // Not with localeCompare, whose first use takes 6 ms.
      .sort((a, b) => Number(a.family === 'IPv6') - Number(b.family === 'IPv6'))
  )
}

/** What kind of network an address is on that is not loopback, by its interface's name and the address itself. */
export function kindOf(name: string, address: string, sysfs = '/sys/class/net'): NetworkKind {
  if (isLinkLocal(address)) return 'link-local'
  if (bridges.test(name) || isInnerBridge(`${sysfs}/${name}`)) return 'bridge'
  return tunnels.test(name) || isPointToPoint(name) ? 'tunnel' : 'network'
}

/** Whether an address or host name stays within its host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** Whether an address is one that reaches what is on the same cable only. */
export function isLinkLocal(address: string): boolean {
  return /^(169\.254\.|fe[89ab])/i.test(address)
}

/** The best first: by kind, and of each kind those of version 4 first, as Dask has it. */
export function orderAddresses(addresses: readonly InterfaceAddress[]): InterfaceAddress[] {
  const rank = ({ kind, family }: InterfaceAddress): number =>
    networkKinds.indexOf(kind) * 2 + Number(family === 'IPv6')
  return [...addresses].sort((a, b) => rank(a) - rank(b))
}

/** What a bridge of containers or virtual machines connects. */
const innerPorts = /^(veth|vnet|tap|lxc|vif)/

/** Whether a bridge, of whatever name, connects none but containers or virtual machines of this host, or nothing yet. */
function isInnerBridge(directory: string): boolean {
  try {
    return readdirSync(`${directory}/brif`).every((port) => innerPorts.test(port))
  } catch {
    return false
  }
}

const pointToPointFlag = 0x10

/** Whether the kernel says that the interface has but one other end. */
function isPointToPoint(name: string): boolean {
  try {
    return (Number(readFileSync(`/sys/class/net/${name}/flags`, 'utf8')) & pointToPointFlag) !== 0
  } catch {
    return false
  }
}

/** `10.0.0.1:8786`, `[fd00::1]:8786`. */
export function hostAndPort(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
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

/** Addresses of this host without loopback, those that others reach most likely first. */
export function ownAddresses(): string[] {
  return orderAddresses(hostAddresses())
    .filter(({ kind }) => kind !== 'loopback')
    .map(({ address }) => address)
}

/** Names the loopback interface that this process sees: two processes of one name share it. */
export async function networkName(): Promise<string> {
  const parts = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown'),
    readlink('/proc/self/ns/net').catch(() => 'unknown'),
  ])
  return parts.map((part) => part.trim()).join(' ')
}

/** The host of an address such as `tcp://10.0.0.1:8786` or `tls://[fe80::1]:8786`. */
export function hostOf(address: string): string | undefined {
  return /^[a-z]+:\/\/\[?([^\]/]+?)\]?:\d+$/.exec(address)?.[1]
}

/** The addresses of this host, for messages. */
export function formatOwnAddresses(): string {
  return hostAddresses()
    .map(({ name, address }) => `${address} (${name})`)
    .join(', ')
}
