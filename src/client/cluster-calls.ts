import { type Duration, milliseconds } from '../util/duration.ts'
import * as z from 'zod/mini'
import { ask, type Question } from './ask.ts'
import type { WaitOptions } from './bounded.ts'
import { leadToCallers } from './call-site.ts'
import { callArguments, type CallAnswer, type CallName, calls, readAnswer } from './calls.ts'
import { type Callable, ClientFunction } from './callable.ts'
import type { HelperConnection } from './connection.ts'
import { Future } from './future.ts'
import type { KnownFutures } from './known-futures.ts'
import type { RemoteFunctions } from './remote-functions.ts'
import { type OnError, type RunOptions, type ResultByAddress, type RunResults, runOn } from './run.ts'
import type {
  LogOptions,
  Logs,
  PublishOptions,
  RestartOptions,
  RetireOptions,
  SchedulerInfo,
  Versions,
  WorkersOptions,
  WorkerLogsOptions,
} from './cluster-info.ts'
import { checkArguments, checkName, formatValue } from './check-options.ts'
import { uniqueKey } from './task-key.ts'

const dataset = z.object({ single: z.boolean(), keys: z.array(z.string()) })

/** What a client asks of the scheduler and the workers, under the names of Dask's client. */
export abstract class ClusterCalls {
  static {
    leadToCallers(this)
  }

  readonly #connection: HelperConnection
  readonly #states: KnownFutures
  readonly #functions: RemoteFunctions

  protected constructor(connection: HelperConnection, states: KnownFutures, functions: RemoteFunctions) {
    this.#connection = connection
    this.#states = states
    this.#functions = functions
  }

  /**
   * Waits until so many workers are there.
   *
   * @param options a `timeout` of 5 minutes unless it says otherwise
   */
  async waitForWorkers(count: number, options: WaitOptions = {}): Promise<void> {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`Cannot wait for ${formatValue(count)} workers: it has to be a whole number from 1`)
    const what = `wait for ${count} workers`
    await this.#call('wait_for_workers', options, { n_workers: count }, what, '5m')
  }

  /** What the scheduler says of itself and of its workers. */
  async schedulerInfo(options: WaitOptions = {}): Promise<SchedulerInfo> {
    const question: Question = { order: { order: 'info' }, what: 'ask the scheduler for its workers', timeout: '30s' }
    const { ok } = await ask(this.#connection, question, options)
    return ok as SchedulerInfo
  }

  /**
   * Calls a function on every worker at once, beside its tasks, and gives the results by the addresses of the workers. A Python
   * function runs in the thread of the worker's own work: it has to be short, may be a coroutine, and gets the worker where
   * it has a parameter `dask_worker`.
   *
   * @throws TaskError of the first that fails, unless `onError` says otherwise.
   */
  async run<R, E extends OnError = 'raise'>(
    callable: Callable<[], R>,
    args?: readonly [],
    options?: RunOptions<E>,
  ): Promise<ResultByAddress<R, E>>
  async run<T, R, E extends OnError = 'raise'>(
    callable: Callable<[T], R>,
    args: readonly [T],
    options?: RunOptions<E>,
  ): Promise<ResultByAddress<R, E>>
  async run<A extends readonly unknown[], R, E extends OnError = 'raise'>(
    callable: Callable<A, R>,
    args: NoInfer<A>,
    options?: RunOptions<E>,
  ): Promise<ResultByAddress<R, E>>
  async run(
    callable: Callable<never, unknown>,
    args?: readonly unknown[],
    options: RunOptions = {},
  ): Promise<RunResults> {
    return await this.#run('workers', callable, args, options)
  }

  /** The same on the scheduler; a Python function gets it where it has a parameter `dask_scheduler`. */
  async runOnScheduler<R>(
    callable: Callable<[], R>,
    args?: readonly [],
    options?: Omit<RunOptions, 'workers' | 'onError'>,
  ): Promise<Awaited<R>>
  async runOnScheduler<T, R>(
    callable: Callable<[T], R>,
    args: readonly [T],
    options?: Omit<RunOptions, 'workers' | 'onError'>,
  ): Promise<Awaited<R>>
  async runOnScheduler<A extends readonly unknown[], R>(
    callable: Callable<A, R>,
    args: NoInfer<A>,
    options?: Omit<RunOptions, 'workers' | 'onError'>,
  ): Promise<Awaited<R>>
  async runOnScheduler(
    callable: Callable<never, unknown>,
    args?: readonly unknown[],
    options: RunOptions = {},
  ): Promise<unknown> {
    return Object.values(await this.#run('scheduler', callable, args, options))[0]
  }

  /** How many threads each worker has, by its address. */
  async nthreads(options: WorkersOptions = {}): Promise<Readonly<Record<string, number>>> {
    return await this.#call('nthreads', options)
  }

  /** Addresses of the workers that hold each result, by the keys of the futures; of all results where none are given. */
  async whoHas(
    futures?: Iterable<Future<unknown>>,
    options: WaitOptions = {},
  ): Promise<Readonly<Record<string, readonly string[]>>> {
    return await this.#call('who_has', options, this.#given(futures))
  }

  /** The versions of Python and of its packages of the scheduler, of the workers, and of this client's helper. */
  async getVersions(options: WaitOptions = {}): Promise<Versions> {
    return await this.#call('get_versions', options)
  }

  /** What the scheduler has logged of late. */
  async getSchedulerLogs(options: LogOptions = {}): Promise<Logs> {
    return await this.#call('get_scheduler_logs', options)
  }

  /** What the workers have logged of late, by their addresses. */
  async getWorkerLogs(options: WorkerLogsOptions = {}): Promise<Readonly<Record<string, Logs>>> {
    return await this.#call('get_worker_logs', options)
  }

  /**
   * Moves results between workers until each holds about as much. Not for a cluster that computes.
   *
   * @param futures whose results; without it all
   */
  async rebalance(futures?: Iterable<Future<unknown>>, options: WorkersOptions = {}): Promise<void> {
    await this.#call('rebalance', options, this.#given(futures))
  }

  /**
   * Has workers give their results to others, and closes them unless `closeWorkers` is false.
   *
   * @returns what is known of them, by their addresses
   */
  async retireWorkers(options: RetireOptions): Promise<Readonly<Record<string, unknown>>> {
    // Dask would choose some.
    if ((options as WorkersOptions | undefined)?.workers === undefined)
      throw new TypeError('Cannot retire workers: say which ones by the option workers')
    return await this.#call('retire_workers', options)
  }

  /**
   * Publishes a future, or several, under a name: until it is unpublished, the cluster keeps their results, and every client of it
   * gets them by that name.
   *
   * @throws RunnerError ERR_UNAVAILABLE where there is a dataset of that name already
   */
  async publishDataset(
    name: string,
    futures: Future<unknown> | Iterable<Future<unknown>>,
    options: PublishOptions = {},
  ): Promise<void> {
    checkName(name)
    const single = futures instanceof Future
    const what = `publish the dataset "${name}"`
    await this.#call('publish_dataset', options, { name, single, ...this.#given(single ? [futures] : futures) }, what)
  }

  /**
   * The future, or the futures, of a published dataset, as it was published. Its type says which, and of what:
   * `getDataset<Future<number>[]>('squares')`. Nothing checks that.
   *
   * @throws RunnerError ERR_UNAVAILABLE where there is none, or something else than futures was published
   */
  async getDataset<D extends Future<unknown> | readonly Future<unknown>[] = Future<unknown> | Future<unknown>[]>(
    name: string,
    options: WaitOptions = {},
  ): Promise<D> {
    checkName(name)
    const token = uniqueKey('dataset')
    const question: Question = {
      order: { order: 'dataset', name, token },
      what: `get the dataset "${name}"`,
      timeout: '30s',
    }
    const { ok } = await ask(this.#connection, question, options)
    const { single, keys } = dataset.parse(ok)
    const futures = this.#states.adopt(token, keys).map((state) => new Future<unknown>(state, this.#states))
    const [first] = futures
    return (single && first !== undefined ? first : futures) as D
  }

  /** The names of the published datasets. */
  async listDatasets(options: WaitOptions = {}): Promise<readonly string[]> {
    return await this.#call('list_datasets', options)
  }

  /** Takes a dataset back: results that nobody else keeps are forgotten. */
  async unpublishDataset(name: string, options: WaitOptions = {}): Promise<void> {
    checkName(name)
    await this.#call('unpublish_dataset', options, { name }, `unpublish the dataset "${name}"`)
  }

  /**
   * Ends all tasks and forgets all results, and starts the workers again, those that have a nanny. Futures are `cancelled` then.
   *
   * @param options a `timeout` of 2 minutes unless it says otherwise
   */
  async restart(options: RestartOptions = {}): Promise<void> {
    const { timeout = '2m' } = callArguments('restart', options).wait
    const ms = milliseconds(timeout, 'timeout')
    // Dask's own word comes first.
    await this.#call('restart', { ...options, timeout: ms + 5_000 }, { timeout: ms / 1000 })
  }

  async #run(
    where: 'workers' | 'scheduler',
    callable: Callable<never, unknown>,
    args: readonly unknown[] | undefined,
    options: RunOptions,
  ): Promise<RunResults> {
    if (callable instanceof ClientFunction)
      throw new TypeError(
        `Cannot run "${callable.callable.name}" on the ${where}: a function that gets a client is called by a task only; submit it`,
      )
    checkArguments(args)
    return await runOn(this.#connection, where, this.#functions.of(callable), args ?? [], options)
  }

  #given(futures: Iterable<Future<unknown>> | undefined): { readonly futures?: readonly number[] } {
    return futures === undefined ? {} : { futures: this.#states.numbersOf(futures) }
  }

  async #call<N extends CallName>(
    method: N,
    options: WaitOptions,
    given: Readonly<Record<string, unknown>> = {},
    what: string = calls[method].what,
    timeout?: Duration,
  ): Promise<CallAnswer<N>> {
    const { wait, args } = callArguments(method, options)
    const order = { order: 'call', method, arguments: { ...args, ...given } }
    const { ok } = await ask(this.#connection, { order, what, ...(timeout && { timeout }) }, wait)
    return readAnswer(method, ok)
  }
}
