import { readFile, readlink } from 'node:fs/promises'
import { connect as open, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { defaults } from '../defaults.ts'
import { errnoOf } from '../errors.ts'
import { hostAddresses, isLoopback, orderAddresses } from '../util/network.ts'
import type { Owner } from '../record/owner.ts'

export { isLoopback }

/** What came of trying to connect. */
export type Reached = Socket | 'refused' | 'unreachable'

/** How to connect. */
export interface ReachOptions {
  /** Milliseconds. @default 3 s */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Connects to one address; nothing is thrown. */
export async function reach(
  host: string,
  port: number,
  { timeout = defaults.connectTimeout, signal }: ReachOptions = {},
): Promise<Reached> {
  if (signal?.aborted === true) return 'unreachable'
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
    const timer = setTimeout(late, timeout)
    signal?.addEventListener('abort', late, { once: true })
    socket.once('connect', () => {
      give(socket)
    })
    socket.on('error', (error) => {
      give(errnoOf(error) === 'ECONNREFUSED' ? 'refused' : 'unreachable')
    })
  })
}

/** The addresses by which rank 0 of a run can be reached from here, if by any. */
export async function addressesOf({ control: { addresses, network } }: Owner): Promise<readonly string[]> {
  if (network === (await networkName())) return ['127.0.0.1']
  // An address that we have too, such as that of a container bridge, is not the owner's host.
  const own = new Set(ownAddresses())
  return addresses.filter((address) => !own.has(address) && !isLoopback(address))
}

/**
 * The other host that keeps a Dask address to itself: it is loopback there, where somebody else may listen at the
 * same port here. Undefined where it can be asked.
 */
export async function keptByHost(address: string, owner: Owner | undefined): Promise<string | undefined> {
  if (owner === undefined || owner.host === hostname() || !isLoopback(hostOf(address) ?? '')) return undefined
  return owner.control.network === (await networkName()) ? undefined : owner.host
}

/** What comes of connecting to a Dask address such as `tcp://10.0.0.1:8786`; a port that stays silent answers. */
export async function reachDask(
  address: string,
  options: ReachOptions = {},
): Promise<'answers' | 'refuses' | 'unreachable'> {
  const host = hostOf(address)
  const port = Number(/:(\d+)$/.exec(address)?.[1])
  if (host === undefined) return 'unreachable'
  const reached = await reach(host, port, options)
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

/** The host of an address such as `tcp://10.0.0.1:8786` or `tls://[fe80::1]:8786`. */
export function hostOf(address: string): string | undefined {
  return /^[a-z]+:\/\/\[?([^\]/]+?)\]?:\d+$/.exec(address)?.[1]
}
