import { defaults } from '../defaults.ts'
import { messageOf, RunnerError } from '../errors.ts'
import { PrivateDirectory } from '../filesystem/private-directory.ts'
import { formatDuration } from '../util/duration.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { monotonic } from '../util/monotonic.ts'
import type { DirectoryKeeper } from '../util/own-directory.ts'
import { sleep } from '../util/wait.ts'
import type { SpreadOrders } from './orders.ts'

/** Time between two looks of the launcher, which tell of all ranks. In milliseconds. */
const interval = 250

/** For how long a rank's last word may show late here, after its remote start has ended. In milliseconds. */
const lastWordPatience = 3_000

/** How long an operation may take before the launcher goes on without it. In milliseconds. */
const patience = 5_000

/** What the ranks have said. */
interface Sight {
  /** Whether the filesystem has answered. */
  readonly answered: boolean
  readonly ready: ReadonlySet<number>
  /** The status of each that has ended. */
  readonly ended: ReadonlyMap<number, number>
}

/** How the orders are left. */
export interface Leaving {
  /** How long that may take, in milliseconds. */
  readonly ms: number
  /** Aborts when the run is to end. */
  readonly signal: AbortSignal
}

/**
 * Where launcher and ranks speak if the remote start hands on no input: a directory of this user alone, which all hosts
 * share. Its files are
 *
 * - `orders-3`: the orders of rank 3
 * - `7-3-SIGTERM`: the seventh word is for rank 3
 * - `ready-3`, `ended-3-0`: what rank 3 has to say, the latter with its status
 *
 * When it has gone, the launcher has.
 */
export class OrderDirectory implements Disposable {
  readonly path: string
  readonly #directory: Pick<PrivateDirectory, 'make' | 'put' | 'leaveName' | 'list'>
  #words = 0
  #sent: Promise<unknown> = Promise.resolve()
  /** The look that is under way, for all who ask. */
  #look: Promise<Sight> | undefined
  #looked = -Infinity
  /** The listing that has not come back yet: there is one at a time. */
  #listing: Promise<readonly string[]> | undefined
  readonly #disposed = new AbortController()

  /** @param directory a stand-in for tests */
  constructor(
    path: string,
    directory: Pick<PrivateDirectory, 'make' | 'put' | 'leaveName' | 'list'> = new PrivateDirectory(path),
  ) {
    this.path = path
    this.#directory = directory
  }

  /**
   * Makes the directory, which `keeper` removes, and leaves the orders of each rank there.
   *
   * @throws RunnerError where that cannot be done, or not in time; the signal's reason.
   */
  async leave(orders: readonly SpreadOrders[], keeper: DirectoryKeeper, { ms, signal }: Leaving): Promise<void> {
    const late = (): Error => this.#cannot(`its filesystem has not answered for ${formatDuration(ms)}`, 'ERR_TIMED_OUT')
    await withIoTimeout(this.#leave(orders, keeper), ms, late, signal)
  }

  /** Leaves a word for a rank, after those before. One that cannot be left is lost. */
  async send(rank: number, word: string): Promise<void> {
    const name = `${++this.#words}-${rank}-${word}`
    const write = async (): Promise<void> => this.#inTime(this.#directory.leaveName(name))
    const sent = this.#sent.then(write).catch(() => undefined)
    this.#sent = sent
    await sent
  }

  /** Resolves when a rank is ready. */
  async ready(rank: number, signal: AbortSignal): Promise<void> {
    while (!(await this.#lookWithAll()).ready.has(rank)) {
      signal.throwIfAborted()
      this.#disposed.signal.throwIfAborted()
    }
  }

  /** The status that a rank has left, whose remote start has ended; undefined where it has left none. */
  async statusOf(rank: number): Promise<number | undefined> {
    const began = monotonic()
    for (;;) {
      const { answered, ended } = await this.#lookWithAll()
      const status = ended.get(rank)
      const longest = answered ? lastWordPatience : defaults.filesystemTimeout
      if (status !== undefined || this.#disposed.signal.aborted || monotonic() - began > longest) return status
    }
  }

  /** Gives up what is not done yet. */
  [Symbol.dispose](): void {
    this.#disposed.abort()
  }

  async #leave(orders: readonly SpreadOrders[], keeper: DirectoryKeeper): Promise<void> {
    try {
      if (!(await this.#directory.make(keeper))) throw this.#cannot('there is no such directory')
      for (const [rank, each] of orders.entries()) await this.#directory.put(`orders-${rank}`, JSON.stringify(each))
    } catch (error) {
      throw error instanceof RunnerError ? error : this.#cannot(messageOf(error))
    }
  }

  #cannot(why: string, code: 'ERR_TIMED_OUT' | 'ERR_ENVIRONMENT' = 'ERR_ENVIRONMENT'): RunnerError {
    return new RunnerError(
      `Cannot leave the orders of the ranks in "${this.path}": ${why}; start spread in a directory that all hosts share`,
      { code },
    )
  }

  /** What the ranks have said by now: one look at a time, and one for all who ask. */
  async #lookWithAll(): Promise<Sight> {
    this.#look ??= this.#lookOnce().finally(() => (this.#look = undefined))
    return await this.#look
  }

  async #lookOnce(): Promise<Sight> {
    await sleep(Math.max(0, this.#looked + interval - monotonic()))
    this.#looked = monotonic()
    this.#listing ??= this.#directory.list().finally(() => (this.#listing = undefined))
    return await this.#inTime(this.#listing).then(
      (names) => sightOf(names, true),
      () => sightOf([], false),
    )
  }

  async #inTime<T>(operation: Promise<T>): Promise<T> {
    const late = (): Error => new Error('the filesystem does not answer')
    return await withIoTimeout(operation, patience, late, this.#disposed.signal)
  }
}

function sightOf(names: readonly string[], answered: boolean): Sight {
  const ready = new Set<number>()
  const ended = new Map<number, number>()
  for (const name of names) {
    const [, what, rank, status] = /^(ready|ended)-([0-9]+)(?:-([0-9]{1,3}))?$/.exec(name) ?? []
    if (what === 'ready') ready.add(Number(rank))
    if (what === 'ended' && status !== undefined) ended.set(Number(rank), Number(status))
  }
  return { answered, ready, ended }
}
