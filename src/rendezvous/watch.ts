import { defaults } from '../defaults.ts'
import { errnoOf, messageOf } from '../errors.ts'
import type { WatchMode } from '../options.ts'
import { sleep } from '../util/wait.ts'
import { listDirectory } from './list.ts'
import { isLocalFilesystem } from './local-filesystem.ts'
import { subscribe, type Subscriber } from './subscribe.ts'

/** Listings a second that all processes of a job together may ask of the filesystem. */
const listingsPerSecond = 200
/** The longest default interval: the budget holds up to 2,000 processes, beyond it news would come too late. */
const longestInterval = 10_000
/** The poll that goes on beside events, which are never more than a hint. */
const slowPoll = 1_000

/** Milliseconds between two listings by one of `size` processes, unless the user says otherwise. */
export function defaultPollInterval(size: number): number {
  return Math.min(longestInterval, Math.max(defaults.pollInterval, (size / listingsPerSecond) * 1000))
}

/** The world as seen by a watch; a test puts its own in its place. */
export interface WatchSeams {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly list: (directory: string) => Promise<readonly string[]>
  readonly isLocal: (directory: string) => Promise<boolean>
  readonly subscribe: (directory: string, subscriber: Subscriber) => Promise<() => Promise<void>>
  /** From 0 to 1. */
  readonly random: () => number
}

const realSeams: WatchSeams = {
  sleep,
  list: listDirectory,
  isLocal: isLocalFilesystem,
  subscribe,
  random: Math.random,
}

/** What was last seen of a directory. */
export interface LastSight {
  /** Undefined where it was never listed. */
  readonly names: readonly string[] | undefined
  /** Why the last listing failed. */
  readonly error: unknown
}

/** How to watch, and for how long. */
export interface WatchOptions {
  readonly mode: WatchMode
  /** Milliseconds between two listings; each is varied by up to 20 %. */
  readonly interval: number
  /** Milliseconds until the watch gives up. */
  readonly timeout: number
  /** The error of a watch that gave up. */
  readonly late: (last: LastSight) => Error
  /** Takes a sentence for the user where events turn out not to work. */
  readonly notice: (message: string) => void
  readonly signal?: AbortSignal | undefined
  /** @default the real ones */
  readonly seams?: WatchSeams
}

/**
 * Lists `directory` again and again until `inspect` makes something of its names. Only listings
 * count; events make the next one come sooner. A listing that fails for a passing reason is
 * repeated.
 *
 * @throws what `late` makes, the signal's reason, what `inspect` throws, or the error of a listing
 * that no repetition would mend: ENOENT, ENOTDIR, EACCES, EPERM.
 */
export async function watchDirectory<T>(
  directory: string,
  inspect: (names: readonly string[]) => Promise<T | undefined>,
  options: WatchOptions,
): Promise<T> {
  const { timeout, signal, seams = realSeams } = options
  signal?.throwIfAborted()
  const stop = new AbortController()
  const inner = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const watch = new Watch(directory, { ...options, seams, inner })
  try {
    // A race, so that even a listing that never returns ends at the deadline.
    const deadline = seams.sleep(timeout, inner).then(() => {
      throw options.late(watch.last)
    })
    return await Promise.race([watch.run(inspect), deadline])
  } finally {
    stop.abort()
  }
}

interface Inner extends WatchOptions {
  readonly seams: WatchSeams
  readonly inner: AbortSignal
}

class Watch {
  last: LastSight = { names: undefined, error: undefined }
  readonly #directory: string
  readonly #options: Inner
  #events = false
  #hinted = false
  #pause = new AbortController()

  constructor(directory: string, options: Inner) {
    this.#directory = directory
    this.#options = options
    options.inner.addEventListener('abort', () => {
      this.#pause.abort()
    })
  }

  async run<T>(inspect: (names: readonly string[]) => Promise<T | undefined>): Promise<T> {
    const first = await this.#look(inspect)
    if (first !== undefined) return first
    const unsubscribe = await this.#subscribe()
    try {
      for (;;) {
        this.#hinted = false
        const found = await this.#look(inspect)
        if (found !== undefined) return found
        await this.#rest()
        this.#options.inner.throwIfAborted()
      }
    } finally {
      await unsubscribe()
    }
  }

  async #look<T>(inspect: (names: readonly string[]) => Promise<T | undefined>): Promise<T | undefined> {
    try {
      this.last = { names: await this.#options.seams.list(this.#directory), error: undefined }
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) throw error
      this.last = { ...this.last, error }
      return undefined
    }
    return await inspect(this.last.names ?? [])
  }

  async #rest(): Promise<void> {
    // A hint that came while the names were looked at may be about something newer.
    if (this.#hinted) return
    const { interval, seams, inner } = this.#options
    const usual = this.#events ? Math.max(slowPoll, interval) : interval
    this.#pause = new AbortController()
    if (inner.aborted) this.#pause.abort()
    await seams.sleep(usual * (0.8 + 0.4 * seams.random()), this.#pause.signal).catch(() => undefined)
  }

  async #subscribe(): Promise<() => Promise<void>> {
    const { mode, seams } = this.#options
    const nothing = (): Promise<void> => Promise.resolve()
    if (mode === 'poll') return nothing
    if (!(await seams.isLocal(this.#directory))) {
      if (mode === 'events')
        this.#options.notice(
          `Polling "${this.#directory}" and not waiting for events: its filesystem is no local one as far as is known, ` +
            "and tells nothing of other hosts' writes",
        )
      return nothing
    }
    this.#events = true
    const onHint = (): void => {
      this.#hinted = true
      this.#pause.abort()
    }
    const onError = (error: unknown): void => {
      if (!this.#events || this.#options.inner.aborted) return
      this.#events = false
      this.#options.notice(`Polling "${this.#directory}", since the system sends no events: ${messageOf(error)}`)
      onHint()
    }
    try {
      return await seams.subscribe(this.#directory, { onHint, onError })
    } catch (error) {
      onError(error)
      return nothing
    }
  }
}
