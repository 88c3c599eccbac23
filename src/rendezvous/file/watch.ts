import { defaults } from '../../defaults.ts'
import { errnoOf, messageOf } from '../../errors.ts'
import { listDirectory } from '../../filesystem/list.ts'
import type { WatchMode } from '../../options.ts'
import { withIoTimeout } from '../../util/io-timeout.ts'
import { formatDuration } from '../../util/duration.ts'
import { deadline, sleep } from '../../util/wait.ts'
import { IoTimeoutError } from './cannot-publish.ts'
import { isLocalFilesystem } from '../../filesystem/local-filesystem.ts'

/** How long asking the system for events may take. */
const subscribeTimeoutMs = 10_000

/**
 * Where `auto` may have events it looks so often before it asks for them. The processes of a run begin together, so that what
 * they wait for mostly comes before the price is due: to load what gives events takes a tenth of the CPU time of a start. In milliseconds.
 */
const pausesBeforeEvents = [10, 20, 40, 80, 160]

/** The poll that goes on beside events, which are never more than a hint. */
const slowPoll = 1_000
/** Operations of a look that finds something: the listing, and the file. */
const operationsOfFinding = 2
/** How much of the budget may be planned for: looks are spread by chance, so that some seconds see more. */
const plannedShare = 0.7

/** However many look, what is published is noticed within this, and the variation on top. */
const longestIntervalMs = 5_000

/**
 * Milliseconds between two listings by one of `lookers` processes, so that all of them together keep to
 * `budget` operations a second, also while they find what they wait for; at most 5 s, so that more than some
 * hundreds need more than the budget.
 */
export function defaultPollInterval(lookers: number, budget: number = defaults.metadataBudget): number {
  const planned = ((lookers * operationsOfFinding) / (budget * plannedShare)) * 1000
  return Math.min(longestIntervalMs, Math.max(defaults.pollInterval, planned))
}

/** The longest time in which a change is noticed by polling each `interval`, in milliseconds. */
export function longestNotice(interval: number): number {
  return interval * (1 + variation)
}

/** Each interval is made longer by up to so much. */
const variation = 0.2

/** What wants to know that something may have changed in a directory. */
export interface Subscriber {
  /** Something may have changed. */
  readonly onHint: () => void
  /** No more hints come. May be called more than once. */
  readonly onError: (error: unknown) => void
}

/**
 * Hints about changes of a directory from the kernel, from the time at which this resolves; gives the function that
 * ends them. Where the system gives no events (ENOSPC: all watches of the user are taken), `onError` is called.
 */
export async function subscribe(directory: string, { onHint, onError }: Subscriber): Promise<() => void> {
  const { watch } = await import('chokidar')
  const watcher = watch(directory, { depth: 0, ignoreInitial: true, followSymlinks: false, atomic: false })
  await new Promise<void>((resolve) => {
    watcher
      .on('all', onHint)
      .on('error', (error) => {
        onError(error)
        resolve()
      })
      .on('ready', resolve)
  })
  return () => {
    void watcher.close()
  }
}

/** The world as seen by a watch; a test puts its own in its place. */
export interface WatchSeams {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly list: (directory: string) => Promise<readonly string[]>
  readonly isLocal: (directory: string) => Promise<boolean>
  readonly subscribe: (directory: string, subscriber: Subscriber) => Promise<() => void>
  /** From 0 to 1. */
  readonly random: () => number
}

/** The world as it is. */
export const realWatchSeams: WatchSeams = {
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
  /** Why the last look failed. */
  readonly error: unknown
}

/** How to watch, and for how long. */
export interface WatchOptions {
  readonly mode: WatchMode
  /** Milliseconds between two listings; each is made longer by up to 20 %. */
  readonly interval: number
  /** Milliseconds until the watch gives up. */
  readonly timeout: number
  /** Milliseconds that the filesystem may take for one look. @default 25 s */
  readonly filesystemTimeout?: number | undefined
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
 * count; events make the next one come sooner. A look that fails for a passing reason is
 * repeated.
 *
 * @throws what `late` makes, the signal's reason, what `inspect` throws, IoTimeoutError, or the error of a
 * look that no repetition would mend.
 */
export async function watchDirectory<T>(
  directory: string,
  inspect: (names: readonly string[]) => Promise<T | undefined>,
  options: WatchOptions,
): Promise<T> {
  const { timeout, signal, seams = realWatchSeams } = options
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

/** Whether another look may succeed: a server is busy, or what was about to be read has just been replaced (ESTALE). */
export function mayPass(error: unknown): boolean {
  const isOfSystem = error instanceof Error && 'errno' in error
  return isOfSystem && !['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP'].includes(errnoOf(error) ?? '')
}

class Watch {
  last: LastSight = { names: undefined, error: undefined }
  readonly #directory: string
  readonly #options: Inner
  #events = false
  #hinted = false
  #pause = new AbortController()
  #rested = false

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
    const mayHaveEvents = await this.#inTime(this.#mayHaveEvents())
    const soon = mayHaveEvents && this.#options.mode === 'auto' ? await this.#lookSoon(inspect) : undefined
    if (soon !== undefined) return soon
    if (!mayHaveEvents) return await this.#lookAgain(inspect)
    const unsubscribe = await this.#subscribe()
    try {
      return await this.#lookAgain(inspect)
    } finally {
      unsubscribe()
    }
  }

  async #lookSoon<T>(inspect: (names: readonly string[]) => Promise<T | undefined>): Promise<T | undefined> {
    const { seams, inner } = this.#options
    for (const pause of pausesBeforeEvents) {
      await seams.sleep(pause, inner)
      const found = await this.#look(inspect)
      if (found !== undefined) return found
    }
    return undefined
  }

  async #lookAgain<T>(inspect: (names: readonly string[]) => Promise<T | undefined>): Promise<T> {
    // What has changed before events were asked for is told by none.
    if (!this.#events) await this.#rest()
    for (;;) {
      this.#options.inner.throwIfAborted()
      this.#hinted = false
      const found = await this.#look(inspect)
      if (found !== undefined) return found
      await this.#rest()
    }
  }

  async #look<T>(inspect: (names: readonly string[]) => Promise<T | undefined>): Promise<T | undefined> {
    return await this.#inTime(this.#lookOnce(inspect))
  }

  async #inTime<T>(operation: Promise<T>): Promise<T> {
    const { filesystemTimeout = defaults.filesystemTimeout } = this.#options
    const late = (): Error => new IoTimeoutError(`Cannot look into "${this.#directory}"`, filesystemTimeout)
    return await withIoTimeout(operation, filesystemTimeout, late)
  }

  async #lookOnce<T>(inspect: (names: readonly string[]) => Promise<T | undefined>): Promise<T | undefined> {
    try {
      const names = await this.#options.seams.list(this.#directory)
      this.last = { names, error: undefined }
      return await inspect(names)
    } catch (error) {
      if (!mayPass(error)) throw error
      this.last = { ...this.last, error }
      return undefined
    }
  }

  async #rest(): Promise<void> {
    // A hint that came while the names were looked at may be about something newer.
    if (this.#isHinted()) return
    const { interval, seams, inner } = this.#options
    // The first rest spreads those who began together; from then on they stay spread.
    const factor = this.#rested ? 1 + variation * seams.random() : seams.random() * (1 + variation)
    this.#rested = true
    if (inner.aborted) return
    this.#pause = new AbortController()
    await seams
      .sleep((this.#events ? Math.max(slowPoll, interval) : interval) * factor, this.#pause.signal)
      .catch(() => undefined)
  }

  /** Asked anew each time: it changes while this waits. */
  #isHinted(): boolean {
    return this.#hinted
  }

  async #mayHaveEvents(): Promise<boolean> {
    const { mode, seams } = this.#options
    if (mode === 'poll') return false
    const isLocal = await seams.isLocal(this.#directory)
    if (!isLocal && mode === 'events')
      this.#options.notice(
        `Polling "${this.#directory}" and not waiting for events: its filesystem is no local one as far as is known, ` +
          "and tells nothing of other hosts' writes",
      )
    return isLocal
  }

  async #subscribe(): Promise<() => void> {
    const { seams } = this.#options
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
      const late = (): Error => new Error(`none can be had within ${formatDuration(subscribeTimeoutMs)}`)
      const subscribed = seams.subscribe(this.#directory, { onHint, onError })
      return await deadline(subscribed, subscribeTimeoutMs, late, this.#options.inner)
    } catch (error) {
      onError(error)
      return () => undefined
    }
  }
}
