import { createHash } from 'node:crypto'
import { defaults } from '../defaults.ts'
import { RunnerError } from '../errors.ts'
import { Reaper } from '../process/reaper.ts'
import { ClientProcess } from '../python/client-process.ts'
import { findPython } from '../python/find-python.ts'
import { tasksModule } from '../python/tasks-module.ts'
import { type Duration, milliseconds } from '../util/duration.ts'
import { settledWithin } from '../util/wait.ts'
import { inOrderOfCompletion, type Progress, progressOf } from './as-completed.ts'
import { bounded, type WaitOptions } from './bounded.ts'
import type { Callable } from './callable.ts'
import { checkOption, checkSubmitOptions, sayValue } from './check-options.ts'
import { Connection, RequestError } from './connection.ts'
import { Future } from './future.ts'
import { FutureStates } from './future-states.ts'
import type { Input, Inputs } from './inputs.ts'
import type { SubmitOptions } from './submit-options.ts'
import nodeProgram from './javascript/node-program.ts?program'
import { RemoteFunctions } from './remote-functions.ts'
import type { SchedulerInfo } from './scheduler-info.ts'
import { Submissions } from './submissions.ts'
import { type ClusterTarget, findTarget } from './target.ts'
import { pureKey, uniqueKey } from './task-key.ts'
import { type ClientTlsOptions, environmentForTls, tlsAdvice } from './tls.ts'
import { needsOf } from './why-pending.ts'
import { Dependencies } from './values/dependencies.ts'
import { type Encoded, intoHeader } from './values/encoded.ts'
import { encodeCall } from './values/plain.ts'
import { encodeScattered } from './values/scattered.ts'
import { encodeStructured } from './values/structured.ts'

/** How a client connects. */
export interface ConnectOptions extends ClientTlsOptions {
  /** Ends the attempt. */
  readonly signal?: AbortSignal
  /** @default '30s' */
  readonly timeout?: Duration
  /** The Python that has Dask, that of the cluster. @default as for a runner */
  readonly python?: string
  /** Path of Node on the workers; it has to be this release. @default that of this process */
  readonly node?: string
  /** Fetch results from the workers, not through the scheduler. @default true in the client of a run, else false */
  readonly directToWorkers?: boolean
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv
}

/** How a value is placed on the workers. */
export interface ScatterOptions extends WaitOptions {
  /** Names of the workers, or their addresses. @default any */
  readonly workers?: readonly (number | string)[]
  /** Copy it to all of them. @default false */
  readonly broadcast?: boolean
}

/** How long the end of the helper process may take. In milliseconds. */
const closeTimeout = 6_000

/** Names the text that helper and workers make a module of. */
const moduleName = `_dask_hpc_runner_${createHash('sha256').update(tasksModule).update(nodeProgram).digest('hex').slice(0, 16)}`

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
export class Client implements AsyncDisposable {
  /** Address of the scheduler. */
  readonly schedulerAddress: string
  readonly #connection: Connection
  readonly #reaper: Reaper
  readonly #states: FutureStates
  readonly #submissions: Submissions
  readonly #functions: RemoteFunctions
  #closing: Promise<void> | undefined

  private constructor(address: string, connection: Connection, reaper: Reaper, functions: RemoteFunctions) {
    this.schedulerAddress = address
    this.#functions = functions
    this.#connection = connection
    this.#reaper = reaper
    this.#submissions = new Submissions(connection)
    this.#states = new FutureStates(connection, () => {
      this.#submissions.flush()
    })
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
    const { signal, env = process.env } = options
    const timeout = milliseconds(options.timeout ?? '30s', 'timeout')
    signal?.throwIfAborted()
    const found = await findTarget(target, env)
    const tls = await environmentForTls(options)
    const reaper = new Reaper()
    const helper =
      found.takeProcess !== undefined && options.python === undefined && tls === undefined
        ? await found.takeProcess()
        : new ClientProcess({
            python: await findPython({ python: options.python }, env, signal),
            env: { ...env, ...tls },
            reaper,
            lostAfter: defaults.lostAfter,
            onLine: say,
          })
    try {
      const connection = new Connection(helper)
      const order = {
        order: 'connect',
        address: found.address,
        timeout,
        direct: options.directToWorkers ?? found.inRun,
        tasks: tasksModule,
        module: moduleName,
        program: nodeProgram,
        node: options.node ?? process.execPath,
      }
      const answer = bounded(
        connection.request(order, signal),
        // Dask's own word comes first.
        { timeout: timeout + 5_000, ...(signal === undefined ? {} : { signal }) },
        () => `connect to the scheduler at ${found.address}: it has not answered`,
      )
      const [{ address }, functions] = await Promise.all([
        answer as Promise<{ address: string }>,
        RemoteFunctions.load(),
      ])
      return new Client(address, connection, reaper, functions)
    } catch (error) {
      helper.kill()
      await reaper.close()
      const advice = tlsAdvice(found.address, { ...env, ...tls })
      throw asRunnerError(error, `connect to the scheduler at ${found.address}`, advice)
    }
  }

  /**
   * Waits until so many workers are there.
   *
   * @param options a `timeout` of 5 minutes unless it says otherwise
   */
  async waitForWorkers(count: number, options: WaitOptions = {}): Promise<void> {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`Cannot wait for "${count}" workers: it is a whole number from 1`)
    await this.#ask({ order: 'wait', workers: count }, { timeout: '5m', ...options }, `wait for ${count} workers`)
  }

  /** What the scheduler says of itself and of its workers. */
  async schedulerInfo(options: WaitOptions = {}): Promise<SchedulerInfo> {
    const info = await this.#ask({ order: 'info' }, { timeout: '30s', ...options }, 'ask the scheduler for its workers')
    return info as SchedulerInfo
  }

  /**
   * Has a worker call a function.
   *
   * Typed arrays of more than 4 KB are not copied: leave them as they are until there is a result.
   *
   * @throws TypeError where the function or an argument cannot be sent; it names the place.
   */
  submit<A extends readonly unknown[], R>(
    callable: Callable<A, R>,
    args?: Inputs<NoInfer<A>>,
    options: SubmitOptions = {},
  ): Future<Awaited<R>> {
    checkSubmitOptions(options)
    if (args !== undefined && !Array.isArray(args))
      throw new TypeError(`Cannot use arguments ${sayValue(args)}: they have to be an array`)
    return this.#submit(callable, args ?? [], options, options.key)
  }

  /** Has the workers call a function for each item. */
  map<T, R>(
    callable: Callable<[item: T], R>,
    items: Iterable<Input<NoInfer<T>>>,
    options: SubmitOptions = {},
  ): Future<Awaited<R>>[] {
    checkSubmitOptions(options)
    if (typeof (items as Partial<Iterable<unknown>> | undefined)?.[Symbol.iterator] !== 'function')
      throw new TypeError(`Cannot map over ${sayValue(items)}: it has to be an array, or iterable otherwise`)
    const remote = this.#functions.of(callable)
    const { key } = options
    return Array.from(items, (item, i) =>
      this.#submit(remote, [item], options, key === undefined ? undefined : `${key}-${i}`),
    )
  }

  /**
   * The results of all, in their order.
   *
   * @throws what the first that fails throws.
   */
  async gather<const F extends readonly Future<unknown>[]>(
    futures: F,
    options: WaitOptions = {},
  ): Promise<{ -readonly [K in keyof F]: F[K] extends Future<infer R> ? R : never }> {
    const all = Promise.all(futures.map(async (future) => await future.result()))
    const pending = (): number => futures.filter(({ status }) => status === 'pending').length
    const results = await bounded(all, options, () => `gather ${futures.length} results: ${pending()} are pending`)
    return results as { -readonly [K in keyof F]: F[K] extends Future<infer R> ? R : never }
  }

  /**
   * Places a value on the workers, for several tasks to use. What Python has alike is placed in Python's form:
   * a typed array as a NumPy array.
   */
  async scatter<T>(value: T, options: ScatterOptions = {}): Promise<Future<T>> {
    const { workers, broadcast = false, ...wait } = options
    checkOption('workers', workers)
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
      ...(workers === undefined ? {} : { workers }),
    }
    await this.#ask(order, wait, 'place a value on the workers', buffers)
    return future
  }

  /** The futures in the order in which they complete, those that fail too. */
  asCompleted<F extends Future<unknown>>(
    futures: Iterable<F>,
    options: WaitOptions = {},
  ): AsyncGenerator<F, undefined> {
    return inOrderOfCompletion(futures, this.#completion, options)
  }

  /** How far the futures are: at once, then at each change, until none is pending. */
  progress(futures: Iterable<Future<unknown>>, options: WaitOptions = {}): AsyncGenerator<Progress, undefined> {
    return progressOf(futures, this.#completion, options)
  }

  /** Resolves when what was submitted has left this process, all but a little: for who submits without end. */
  async drained(options: WaitOptions = {}): Promise<void> {
    this.#submissions.flush()
    await bounded(this.#connection.drained(), options, () => 'send what was submitted: the client is busy')
  }

  /** Leaves the cluster. Futures that are pending fail. May be called twice. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
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
    const remote = this.#functions.of(callable)
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

  readonly #completion = async (future: Future<unknown>): Promise<void> => {
    await future.exception()
  }

  async #ask(
    order: Readonly<Record<string, unknown>> & { readonly order: string },
    options: WaitOptions,
    what: string,
    buffers: readonly Uint8Array[] = [],
  ): Promise<unknown> {
    const abandon = new AbortController()
    try {
      return await bounded(this.#connection.request(order, abandon.signal, buffers), options, () => what)
    } catch (error) {
      abandon.abort(error)
      throw asRunnerError(error, what)
    }
  }
}

function encodeArguments(
  language: 'python' | 'javascript',
  args: readonly unknown[],
  { kwargs }: SubmitOptions,
  dependencies: Dependencies,
): Encoded {
  if (language === 'python') return encodeCall(args, kwargs ?? {}, dependencies)
  if (kwargs !== undefined)
    throw new TypeError('Cannot pass kwargs to a JavaScript function: only Python has keyword arguments')
  return encodeStructured(args, 'arguments', dependencies)
}

function asRunnerError(error: unknown, what: string, advice = ''): unknown {
  if (!(error instanceof RequestError)) return error
  const { type, text } = error.failure
  const late = type.endsWith('TimeoutError')
  return new RunnerError(`Cannot ${what}: ${text === '' ? type : text}${advice}`, {
    code: late ? 'ERR_TIMED_OUT' : 'ERR_UNAVAILABLE',
    cause: error,
  })
}

/** What Dask's client has to say. */
function say(line: string): void {
  process.stderr.write(`[dask client] ${line}\n`)
}
