import { DaskError } from '../dask/errors.ts'
import { defaults } from '../defaults.ts'
import type { Logger } from '../logger.ts'
import { monotonic } from '../util/monotonic.ts'
import { settledWithin, sleepUnref } from '../util/wait.ts'

/** A worker that has registered with the scheduler. */
export interface RegisteredWorker {
  /** Such as `tcp://10.0.0.3:41234`. */
  readonly address: string
  /** Its name, and the rank and host of its process, where they are known. */
  readonly name?: string
  readonly rank?: number
  readonly host?: string
}

/** What {@link WorkerReach} needs. */
export interface WorkerReachOptions {
  /** Where the connections come from: the host of rank 0 and of its scheduler. */
  readonly from: string
  readonly logger: Logger
  /** Connects to a worker and shakes hands. @throws DaskError where that does not come about within `timeout` ms. */
  readonly connect: (address: string, timeout: number) => Promise<void>
  /** Whether the scheduler still counts the worker. */
  readonly isRegistered: (address: string) => Promise<boolean>
  /** Milliseconds from any fixed moment. @default monotonic */
  readonly now?: () => number
}

interface State extends RegisteredWorker {
  /** Undefined until the first try has ended. */
  reached: boolean | undefined
  /** Why it was not reached, for people. */
  why: string
  /** When it is to be tried again. */
  due: number
  tries: number
}

/** So many are tried at a time. */
const atOnce = 64
/** How long the first try may take, and a further one: the network may be slow. In milliseconds. */
const [firstTimeout, timeout] = [defaults.connectTimeout, 12_000]
/** Before the second try, and the most before a further one. In milliseconds. */
const [firstPause, longestPause] = [1_000, 30_000]
/** So long a count waits for workers that are being tried for the first time. In milliseconds. */
const firstTry = 200

/**
 * Whether the workers can be reached at the addresses at which they have registered: Dask itself notices
 * after half a minute that one cannot, and then says nothing of the address. Each is tried once; one that
 * is not reached, a second time, and from then on only where its number is waited for.
 */
export class WorkerReach {
  readonly #options: WorkerReachOptions
  readonly #workers = new Map<string, State>()
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(options: WorkerReachOptions) {
    this.#options = options
  }

  /** A worker has registered. Resolves when it is known whether it can be reached; does not throw. */
  async add(worker: RegisteredWorker): Promise<void> {
    const state: State = { ...worker, reached: undefined, why: '', due: Infinity, tries: 0 }
    this.#workers.set(worker.address, state)
    if (await this.#try(state)) return
    await sleepUnref(firstPause)
    if (await this.#try(state)) return
    // One that has ended meanwhile has another story.
    if (!(await this.#options.isRegistered(state.address).catch(() => false))) return
    this.#options.logger.warn(
      `${formatRegistered(state)} is registered at ${state.address}, but ${this.#formatWhy(state)}`,
    )
  }

  /** How many of the workers that the scheduler counts can be reached. */
  async count(running: Iterable<string>): Promise<number> {
    const all = [...running]
    const fresh = all.filter((address) => !this.#workers.has(address)).map(async (address) => this.add({ address }))
    const states = all.flatMap((address) => this.#workers.get(address) ?? [])
    const now = this.#now()
    for (const state of states) if (state.reached === false && state.due <= now) void this.#tryAgain(state)
    if (states.some(({ reached }) => reached === undefined)) await settledWithin(Promise.all(fresh), firstTry)
    return states.filter(({ reached }) => reached === true).length
  }

  /** What is to be said of workers of the process `rank` that cannot be reached. */
  why(rank: number): string | undefined {
    const failed = [...this.#workers.values()].find((state) => state.rank === rank && state.reached === false)
    return failed === undefined ? undefined : this.#formatWhy(failed)
  }

  /** Why a worker that the scheduler counts cannot be reached, where that is so. */
  whyNot(address: string): string | undefined {
    const state = this.#workers.get(address)
    return state?.reached === false ? this.#formatWhy(state) : undefined
  }

  async #tryAgain(state: State): Promise<void> {
    if (await this.#try(state)) this.#options.logger.info(`${formatRegistered(state)} can be reached now`)
  }

  async #try(state: State): Promise<boolean> {
    state.due = Infinity
    state.tries++
    await this.#turn()
    try {
      await this.#options.connect(state.address, state.tries === 1 ? firstTimeout : timeout)
      state.reached = true
    } catch (error) {
      const why = whyNotReached(error)
      state.reached = why === undefined
      state.why = why ?? ''
    } finally {
      this.#running--
      this.#waiting.shift()?.()
      state.due = this.#now() + Math.min(longestPause, firstPause * 2 ** (state.tries - 1))
    }
    return state.reached
  }

  async #turn(): Promise<void> {
    if (this.#running >= atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#running++
  }

  #formatWhy({ address, why }: State): string {
    return (
      `${this.#options.from} cannot connect to it at ${address} (${why}): name a network that all nodes share by ` +
      '--interface, or ports that are open between them by --worker-port'
    )
  }

  #now(): number {
    return (this.#options.now ?? monotonic)()
  }
}

/** What keeps us from a worker; undefined where it was reached, or where that cannot be known from here. */
function whyNotReached(error: unknown): string | undefined {
  if (!(error instanceof DaskError)) return undefined
  switch (error.reason) {
    case 'refused':
      return 'the connection is refused'
    case 'unreachable':
      return 'no answer'
    case 'not-dask':
      return 'another program answers'
    case 'silent':
    case 'tls':
    case 'closed':
    case 'call-failed':
      return undefined
  }
}

function formatRegistered({ name, host }: RegisteredWorker): string {
  return name === undefined ? 'a worker' : `worker ${name}${host === undefined ? '' : ` on ${host}`}`
}
