import { defaults } from '../defaults.ts'
import { deferred } from '../util/deferred.ts'
import { hostAddresses, orderAddresses } from '../util/network.ts'
import { answered } from '../util/unanswered.ts'
import { mostAddresses, newKey, newsPortNameOf, unseal } from './news-port.ts'
import { receiveNews, type TakeNews } from './news-wire.ts'

/** With less between two looks nobody listens. In milliseconds. */
const farLook = 1_000

/** Whether looks each `interval` milliseconds are so rare that a process listens for news besides. */
export function listensBeside(interval: number): boolean {
  return interval > farLook
}

/** The network as seen by who listens; a test puts its own in its place. */
export interface HearSeams {
  readonly receive: (take: TakeNews, host: string | undefined, signal: AbortSignal) => Promise<number>
  readonly addresses: () => readonly string[]
}

const realSeams: HearSeams = {
  receive: receiveNews,
  addresses: () =>
    orderAddresses(hostAddresses()).flatMap(({ kind, address }) => (kind === 'loopback' ? [] : [address])),
}

/** Who listens, and for what. */
export interface HearOptions<T> {
  readonly rank: number
  /** Leaves an empty file of that name in the run's directory. */
  readonly leave: (name: string) => Promise<void>
  /** All processes are on this host, so that loopback is enough. */
  readonly isOneHost: boolean
  /** What to make of a text that process 0 has sent; undefined: it is not for us, and we listen on. */
  readonly read: (text: string) => T | undefined
  /** Ends it. */
  readonly signal: AbortSignal
  /** @default the real ones */
  readonly seams?: HearSeams | undefined
}

/**
 * Listens for news from process 0, and leaves word of where in the run's directory. Polling goes on
 * beside it: news may not come.
 *
 * @returns what was made of the news; does not settle where none come until `signal` aborts.
 * @throws Error of the system where no port can be had or no word be left.
 */
export async function hearNews<T>({
  rank,
  leave,
  isOneHost,
  read,
  signal,
  seams = realSeams,
}: HearOptions<T>): Promise<T> {
  const { promise: news, resolve } = deferred<T>()
  const key = newKey()
  const take: TakeNews = (sealed) => {
    const text = unseal(sealed, key)
    const made = text === undefined ? undefined : read(text)
    if (made === undefined) return false
    resolve(made)
    return true
  }
  const own = isOneHost ? [] : seams.addresses().slice(0, mostAddresses)
  const addresses = own.length === 0 ? [loopback] : own
  const port = await seams.receive(take, own.length === 0 ? loopback : undefined, signal)
  const word = leave(newsPortNameOf({ rank, key, port, addresses }))
  await answered(word, defaults.filesystemTimeout, () => new Error('its filesystem does not answer'))
  return await news
}

const loopback = '127.0.0.1'
