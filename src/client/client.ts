import { RunnerError } from '../errors.ts'
import type { Reaper } from '../process/reaper.ts'
import { settledWithin } from '../util/wait.ts'
import { ask } from './ask.ts'
import { AsCompleted, type AsCompletedOptions, type Progress, progressOf } from './as-completed.ts'
import type { Wait, WaitOptions } from './bounded.ts'
import { leadToCallers, leadToLoop } from './call-site.ts'
import type { Callable } from './callable.ts'
import { futuresOf } from './check-futures.ts'
import { checkArguments, checkOptions, checkSubmitOptions, formatValue, waitNames } from './check-options.ts'
import { ClusterCalls } from './cluster-calls.ts'
import { connect, type Connected, type ConnectOptions } from './connect.ts'
import type { HelperConnection } from './connection.ts'
import { Future, unheldEnd, unheldResult } from './future.ts'
import { KnownFutures } from './known-futures.ts'
import type { AllSendable, Input, Inputs, ResultOf, Sendable } from './inputs.ts'
import { mapArguments } from './map-arguments.ts'
import { mapBounded } from './map-bounded.ts'
import type { MapOptions, SubmitOptions } from './submit-options.ts'
import type { RemoteFunctions } from './remote-functions.ts'
import { Submissions } from './submissions.ts'
import type { ClusterTarget } from './target.ts'
import { pureKey, uniqueKey } from './task-key.ts'
import { needsOf } from './why-pending.ts'
import { Dependencies } from './values/dependencies.ts'
import { encodeArguments } from './values/arguments.ts'
import { intoHeader } from './values/encoded.ts'
import { encodeScattered } from './values/scattered.ts'

/** How a value is placed on the workers. */
export interface ScatterOptions extends WaitOptions {
  /** Names of the workers, or their addresses. @default any */
  readonly workers?: readonly (number | string)[] | undefined
  /** Copy it to all of them. @default false */
  readonly broadcast?: boolean | undefined
}

/** How long the end of the helper process may take. In milliseconds. */
const closeTimeout = 6_000

/**
 * A client of a Dask cluster: submits Python and JavaScript functions to its workers.
 *
 * @example
 * ```ts
 * await using runner = await SLURMRunner.start()
 * await using client = await Client.connect(runner)
 * await client.waitForWorkers(runner.nWorkers)
 * console.log(await client.submit((x: number) => x + 1, [10]).result())
 * ```
 */
export class Client extends ClusterCalls implements AsyncDisposable {
  static {
    leadToCallers(this)
  }

  /** Address of the scheduler. */
  readonly schedulerAddress: string
  /** Address of the dashboard; undefined where there is none, as where the scheduler's Python has no bokeh. */
  readonly dashboardLink: string | undefined
  readonly #connection: HelperConnection
  readonly #reaper: Reaper
  readonly #states: KnownFutures
  readonly #submissions: Submissions
  readonly #functions: RemoteFunctions
  #closing: Promise<void> | undefined

  private constructor({ address, dashboardLink, connection, reaper, functions }: Connected) {
    const submissions = new Submissions(connection)
    const states = new KnownFutures(connection, () => {
      submissions.flush()
    })
    super(connection, states, functions)
    this.schedulerAddress = address
    this.dashboardLink = dashboardLink
    this.#functions = functions
    this.#connection = connection
    this.#reaper = reaper
    this.#submissions = submissions
    this.#states = states
  }

  /**
   * Connects to a cluster.
   *
   * @param target a runner, a scheduler file or an address; without one that of `DASK_SCHEDULER_ADDRESS`, which
   * the client program of a run has
   * @throws RunnerError ERR_UNAVAILABLE or ERR_TIMED_OUT where no scheduler answers, ERR_ENVIRONMENT where there
   * is no Python with Dask.
   */
  static async connect(target?: ClusterTarget, options: ConnectOptions = {}): Promise<Client> {
    return new Client(await connect(target, options))
  }

  /**
   * Has a worker call a function.
   *
   * Typed arrays of more than 4 KB are not copied: leave them as they are until there is a result.
   *
   * @throws TypeError where the function or an argument cannot be sent; it names the place.
   */
  submit<R>(callable: Callable<[], R>, args?: readonly [], options?: SubmitOptions): Future<Awaited<R>>
  // For the compiler only: without it, it does not know the kind of y in `(x: number, y = 2) => x + y`.
  submit<T, R>(
    callable: Callable<[T], R>,
    args: readonly [Input<T>] & Sendable<T>,
    options?: SubmitOptions,
  ): Future<Awaited<R>>
  submit<A extends readonly unknown[], R>(
    callable: Callable<A, R>,
    args: Inputs<A> & AllSendable<NoInfer<A>>,
    options?: SubmitOptions,
  ): Future<Awaited<R>>
  submit(callable: Callable<never, unknown>, args?: readonly unknown[], options: SubmitOptions = {}): Future<unknown> {
    checkSubmitOptions(options)
    checkArguments(args)
    return this.#submit(callable, args ?? [], options, options.key)
  }

  /**
   * Has the workers call a function for each item; of several iterables, for the items that are at one place in them, until the
   * shortest ends.
   *
   * Of an async iterable it takes items while fewer than `concurrency` tasks are under way, and gives the futures in the order of
   * the items, each when it has completed. Where that loop ends early, the tasks that are under way are released.
   */
  map<T, R>(
    callable: Callable<[item: T], R>,
    items: Iterable<Input<T>> & Sendable<T>,
    options?: SubmitOptions,
  ): Future<Awaited<R>>[]
  map<T, R>(
    callable: Callable<[item: T], R>,
    items: AsyncIterable<Input<T>> & Sendable<T>,
    options?: MapOptions,
  ): AsyncGenerator<Future<Awaited<R>>, undefined>
  map<T, U, R>(
    callable: Callable<[item: T, second: U], R>,
    items: Iterable<Input<T>> & Sendable<T>,
    second: Iterable<Input<U>> & Sendable<U>,
    options?: SubmitOptions,
  ): Future<Awaited<R>>[]
  map<T, U, V, R>(
    callable: Callable<[item: T, second: U, third: V], R>,
    items: Iterable<Input<T>> & Sendable<T>,
    second: Iterable<Input<U>> & Sendable<U>,
    third: Iterable<Input<V>> & Sendable<V>,
    options?: SubmitOptions,
  ): Future<Awaited<R>>[]
  map(callable: Callable<never, unknown>, ...given: readonly unknown[]): unknown {
    const { iterables, options } = mapArguments(given)
    const { key, scope } = options
    const remote = this.#functions.of(callable, scope)
    const submit = (items: readonly unknown[], i: number): Future<unknown> =>
      this.#submit(remote, items, options, key === undefined ? undefined : `${key}-${i}`)
    if (iterables.kind === 'async') {
      const { concurrency = 1000, signal } = options
      return leadToLoop(mapBounded(iterables.items, (item, i) => submit([item], i), { concurrency, signal }))
    }
    return iterables.rows.map(submit)
  }

  /**
   * The results of all, in their order.
   *
   * @throws what the first that fails throws.
   */
  async gather<const F extends readonly Future<unknown>[]>(
    futures: F,
    options: WaitOptions = {},
  ): Promise<{ -readonly [K in keyof F]: ResultOf<F[K]> }> {
    const results = await this.#gather(futures, options, (all) => Promise.all(all))
    return results as { -readonly [K in keyof F]: ResultOf<F[K]> }
  }

  /** How each of them ended, in their order, as `Promise.allSettled` says it. */
  async gatherSettled<const F extends readonly Future<unknown>[]>(
    futures: F,
    options: WaitOptions = {},
  ): Promise<{ -readonly [K in keyof F]: PromiseSettledResult<ResultOf<F[K]>> }> {
    const settled = await this.#gather(futures, options, (all) => Promise.allSettled(all))
    return settled as { -readonly [K in keyof F]: PromiseSettledResult<ResultOf<F[K]>> }
  }

  /**
   * Has the cluster finish these tasks whether or not their futures are kept; where nobody keeps the future, the result is
   * thrown away. For what a task does rather than gives. The client may be closed meanwhile.
   */
  fireAndForget(futures: Future<unknown> | Iterable<Future<unknown>>): void {
    this.#states.forget(futures instanceof Future ? [futures] : futures)
  }

  /**
   * Places a value on the workers, for several tasks to use. What Python has alike is placed in Python's form:
   * a typed array as a NumPy array.
   */
  async scatter<T>(value: T, options: ScatterOptions = {}): Promise<Future<T>> {
    checkOptions(options, ['workers', 'broadcast', ...waitNames], 'place a value on the workers')
    const { workers, broadcast = false, ...wait } = options
    const encoded = encodeScattered(value)
    const state = this.#states.make(uniqueKey('scattered'))
    const future = new Future<T>(state, this.#states)
    const buffers: Uint8Array[] = []
    const order = {
      order: 'scatter',
      key: state.key,
      future: state.number,
      value: intoHeader(encoded, buffers),
      broadcast,
      workers,
    }
    await ask(this.#connection, { order, buffers, what: 'place a value on the workers' }, wait)
    return future
  }

  /** The futures in the order in which they complete, those that fail too; with `withResults` pairs of a future and its result. */
  asCompleted<F extends Future<unknown>>(
    futures: Iterable<F>,
    options: AsCompletedOptions & { readonly withResults: true; readonly raiseErrors: false },
  ): AsCompleted<F, readonly [F, ResultOf<F> | RunnerError]>
  asCompleted<F extends Future<unknown>>(
    futures: Iterable<F>,
    options: AsCompletedOptions & { readonly withResults: true },
  ): AsCompleted<F, readonly [F, ResultOf<F>]>
  asCompleted<F extends Future<unknown>>(
    futures: Iterable<F>,
    options?: WaitOptions & { readonly withResults?: false | undefined },
  ): AsCompleted<F>
  asCompleted(
    futures: Iterable<Future<unknown>>,
    options: AsCompletedOptions = {},
  ): AsCompleted<Future<unknown>, unknown> {
    checkOptions(options, ['withResults', 'raiseErrors', ...waitNames], 'give futures as they complete')
    const { withResults = false, raiseErrors = true, ...wait } = options
    return new AsCompleted<Future<unknown>, unknown>(
      futures,
      withResults
        ? async (future) => {
            const [settled] = await Promise.allSettled([future[unheldResult]()])
            return (): unknown => {
              if (settled.status === 'fulfilled') return [future, settled.value]
              if (raiseErrors) throw settled.reason
              return [future, settled.reason]
            }
          }
        : async (future) => {
            await future[unheldEnd]
            return () => future
          },
      this.#waiting(wait),
    )
  }

  /** How far the futures are: at once, then at each change, until none is pending. */
  progress(futures: Iterable<Future<unknown>>, options: WaitOptions = {}): AsyncGenerator<Progress, undefined> {
    checkOptions(options, waitNames, 'say how far the futures are')
    return leadToLoop(progressOf(futuresOf(futures), this.#waiting(options)))
  }

  /** Resolves when what was submitted has left this process, all but a little: for who submits without end. */
  async drained(options: WaitOptions = {}): Promise<void> {
    checkOptions(options, waitNames, 'send what was submitted')
    this.#submissions.flush()
    await this.#waiting(options)(this.#connection.drained(), () => 'send what was submitted: the client is busy')
  }

  /** Leaves the cluster. Futures that are pending fail. May be called twice. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #waiting(options: WaitOptions): Wait {
    return async (promise, what) => await this.#connection.wait(promise, options, what)
  }

  async #gather<R>(
    futures: readonly Future<unknown>[],
    options: WaitOptions,
    join: (results: Promise<unknown>[]) => Promise<R>,
  ): Promise<R> {
    checkOptions(options, waitNames, 'gather')
    const given: unknown = futures
    if (!Array.isArray(given))
      throw new TypeError(`Cannot gather ${formatValue(given)}: it has to be an array of futures`)
    const all = join(futuresOf(futures).map((future) => future[unheldResult]()))
    const pending = (): number => futures.filter(({ status }) => status === 'pending').length
    return await this.#waiting(options)(all, () => `gather ${futures.length} results: ${pending()} are pending`)
  }

  async #close(): Promise<void> {
    if (this.#connection.error === undefined) {
      const order = this.#connection.request({ order: 'close' })
      await this.#connection.holding(settledWithin(order, closeTimeout))
    }
    this.#connection.fail(new RunnerError('Cannot use the client: it is closed', { code: 'ERR_TASK_CANCELLED' }))
    await this.#connection.end(1_000)
    await this.#reaper.close()
  }

  #submit<A extends readonly unknown[], R>(
    callable: Callable<A, R>,
    args: readonly unknown[],
    options: SubmitOptions,
    key: string | undefined,
  ): Future<Awaited<R>> {
    const { error } = this.#connection
    if (error !== undefined)
      throw new RunnerError(`Cannot submit: ${error.message}`, { code: error.code, cause: error })
    const remote = this.#functions.of(callable, options.scope)
    const dependencies = new Dependencies()
    const encoded = encodeArguments(remote.language, args, options, dependencies)
    const inputs = this.#states.keysOf(dependencies.numbers)
    const name = key ?? (options.pure === true ? pureKey(remote, encoded, inputs) : uniqueKey(remote.name))
    const state = this.#states.make(name, needsOf(options))
    this.#submissions.add({
      number: state.number,
      key: name,
      remote,
      args: encoded,
      dependencies: dependencies.numbers,
      options,
    })
    return new Future(state, this.#states)
  }
}
