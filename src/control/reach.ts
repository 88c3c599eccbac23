import { readFile, readlink } from 'node:fs/promises'
import { connect as open, type Socket } from 'node:net'
import { defaults } from '../defaults.ts'
import { errnoOf } from '../errors.ts'
import { hostAddresses, orderAddresses } from '../util/network.ts'
import type { Owner } from '../record/owner.ts'

/** What came of trying to connect. */
export type Reached = Socket | 'refused' | 'unreachable'

/** Connects to one address; nothing is thrown. */
export async function reach(host: string, port: number, signal?: AbortSignal): Promise<Reached> {
  return await new Promise<Reached>((resolve) => {
    const socket = open({ host, port })
    const give = (result: Reached): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', late)
      if (result !== socket) socket.destroy()
      resolve(result)
    }
    const late = (): void => {
      give('unreachable')
    }
    const timer = setTimeout(late, defaults.connectTimeout)
    signal?.addEventListener('abort', late, { once: true })
    socket.once('connect', () => {
      give(socket)
    })
    socket.on('error', (error) => {
      give(errnoOf(error) === 'ECONNREFUSED' ? 'refused' : 'unreachable')
    })
  })
}

/** Connects to the control channel of `owner` by the first of its addresses that answers. */
export async function reachOwner(owner: Owner, signal?: AbortSignal): Promise<Reached> {
  const { addresses, port, network } = owner.control
  if (network === (await networkName())) return await reach('127.0.0.1', port, signal)
  // An address that we have too, such as that of a container bridge, is not the owner's host.
  const own = new Set(ownAddresses())
  const others = addresses.filter((address) => !own.has(address) && !isLoopback(address))
  let verdict: Reached = 'unreachable'
  for (const address of others) {
    const reached = await reach(address, port, signal)
    if (typeof reached !== 'string') return reached
    if (reached === 'refused') verdict = 'refused'
  }
  return verdict
}

/** Why the control channel of `owner` could not be reached, to follow a colon. */
export function whyNotReached({ control, host }: Owner, reached: 'refused' | 'unreachable'): string {
  if (reached === 'refused') return 'the connection is refused'
  if (control.addresses.every(isLoopback)) return `${host} has no address but loopback; name one by --interface there`
  return `none of ${control.addresses.join(', ')} can be reached: it is frozen, or its host or its network is gone`
}

/** What comes of connecting to a Dask address such as `tcp://10.0.0.1:8786`; a port that stays silent answers. */
export async function reachDask(address: string, signal?: AbortSignal): Promise<'answers' | 'refuses' | 'unreachable'> {
  const host = hostOf(address)
  const port = Number(/:(\d+)$/.exec(address)?.[1])
  if (host === undefined) return 'unreachable'
  const reached = await reach(host, port, signal)
  if (typeof reached !== 'string') reached.destroy()
  return reached === 'refused' ? 'refuses' : reached === 'unreachable' ? 'unreachable' : 'answers'
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

/** Whether an address or host name stays within its host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** The host of an address such as `tcp://10.0.0.1:8786` or `tls://[fe80::1]:8786`. */
export function hostOf(address: string): string | undefined {
  return /^[a-z]+:\/\/\[?([^\]/]+?)\]?:\d+$/.exec(address)?.[1]
}
