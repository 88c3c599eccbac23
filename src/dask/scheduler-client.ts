import { randomUUID } from 'node:crypto'
import * as z from 'zod/mini'
import { printable } from '../util/printable.ts'
import {
  identitySchema,
  nannyIdentitySchema,
  type SchedulerIdentity,
  type SchedulerVersions,
  type TaskCounts,
  taskCountsSchema,
  versionsSchema,
  workerIdentitySchema,
} from './answers.ts'
import { type AnswerOptions, DaskConnection, type DaskConnectionOptions } from './connection.ts'
import { DaskError } from './errors.ts'
import { waitForWorkers, type WaitForWorkersOptions } from './wait-for-workers.ts'

/**
 * Asks a Dask scheduler and tells it what to do, without Python: above each method is the form of its call and of the answer.
 * Each throws DaskError where the answer does not come in time, is an exception, or has another form; a connection that
 * has failed is not used again.
 */
export class SchedulerClient implements Disposable {
  readonly #connection: DaskConnection

  private constructor(connection: DaskConnection) {
    this.#connection = connection
  }

  /**
   * Connects to the scheduler at an address such as `tcp://10.0.0.1:8786`.
   *
   * @throws DaskError where nothing that speaks Dask's protocol answers there in time.
   */
  static async connect(address: string, options?: DaskConnectionOptions): Promise<SchedulerClient> {
    return new SchedulerClient(await DaskConnection.open(address, options))
  }

  get address(): string {
    return this.#connection.address
  }

  /**
   * Who the scheduler is and what workers it has, about 1 kB for each:
   * `{op: "identity"}` -> `{type, id, address, services, started, workers: {address: {…}}}`
   *
   * @throws DaskError where it is a worker or a nanny, which answer too: `{type, id, scheduler, nthreads, …}`
   */
  async identity(options?: AnswerOptions): Promise<SchedulerIdentity> {
    const said = await this.#connection.request('identity', {}, options)
    const who = formatWhoElse(said)
    if (who === undefined) return this.#checked('identity', identitySchema, said)
    const { address } = this
    throw new DaskError(`Cannot ask the scheduler at ${address}: ${who}`, { reason: 'not-dask', address })
  }

  /**
   * The workers that are registered and take tasks, with their threads, about 30 bytes for each:
   * `{op: "ncores_running"}` -> `{address: nthreads}`
   */
  async runningWorkers(options?: AnswerOptions): Promise<ReadonlyMap<string, number>> {
    const answer = z.record(z.string(), z.number())
    return new Map(Object.entries(await this.#call('ncores_running', {}, answer, options)))
  }

  /**
   * How many tasks are in each of Dask's states, and how often one has come to be `memory` or `erred` since the scheduler
   * runs: `{op: "dask_hpc_runner_tasks"}` -> `{now: {state: n}, ever: {state: n}}`. Only a scheduler that a run of ours has
   * started knows this call: see component.py.
   */
  async taskCounts(options?: AnswerOptions): Promise<TaskCounts> {
    return await this.#call('dask_hpc_runner_tasks', {}, taskCountsSchema, options)
  }

  /** Waits until so many workers are registered and running. */
  async waitForWorkers(count: number, options: WaitForWorkersOptions): Promise<number> {
    return await waitForWorkers(this, count, options)
  }

  /**
   * Moves what only the workers of these names hold to the others. They get no more tasks, and are closed by whoever has
   * started them: `{op: "retire_workers", names: [name], close_workers: false, remove: false}` -> `{address: {…}}` of those
   * that were there. Names of digits are numbers to Dask.
   */
  async retireWorkers(names: readonly string[], options?: AnswerOptions): Promise<void> {
    const given = names.map((name) => (/^(0|-?[1-9]\d*)$/.test(name) ? Number(name) : name))
    const which = { names: given, close_workers: false, remove: false }
    await this.#call('retire_workers', which, z.record(z.string(), z.unknown()), options)
  }

  /**
   * Has the scheduler give up a worker that is not heard any more, and run its tasks elsewhere:
   * `{op: "unregister", address, stimulus_id}` -> `"OK"` or `"already-removed"`. The worker is told to close,
   * should it ever hear of it.
   */
  async unregister(address: string, options?: AnswerOptions): Promise<void> {
    const stimulus = `dask-hpc-runner-lost-${randomUUID()}`
    await this.#call('unregister', { address, stimulus_id: stimulus }, z.unknown(), options)
  }

  /**
   * Ends the scheduler and with it its workers: `{op: "terminate", reply: false}`, which is answered by
   * the end of the connection.
   *
   * @throws DaskError where the connection is still open after the time.
   */
  async terminate(options?: AnswerOptions): Promise<void> {
    this.#connection.send({ op: 'terminate', reply: false })
    await this.#connection.closed(options)
  }

  /** What it runs on, as a worker says, too: `{op: "versions"}` -> `{host: {python, OS, …}, packages: {dask, distributed, …}}` */
  async versions(options?: AnswerOptions): Promise<SchedulerVersions> {
    return await this.#call('versions', {}, versionsSchema, options)
  }

  /** What was kept under the key, or null: `{op: "get_metadata", keys: [key], default: null}` */
  async getMetadata(key: string, options?: AnswerOptions): Promise<unknown> {
    return await this.#call('get_metadata', { keys: [key], default: null }, z.unknown(), options)
  }

  /** Keeps a value at the scheduler: `{op: "set_metadata", keys: [key], value}`. `client.restart()` removes it. */
  async setMetadata(key: string, value: unknown, options?: AnswerOptions): Promise<void> {
    await this.#call('set_metadata', { keys: [key], value }, z.unknown(), options)
  }

  /** Does not keep the process alive. */
  unref(): void {
    this.#connection.unref()
  }

  close(): void {
    this.#connection.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async #call<T extends z.core.$ZodType>(
    op: string,
    arguments_: object,
    answer: T,
    options?: AnswerOptions,
  ): Promise<z.infer<T>> {
    return this.#checked(op, answer, await this.#connection.request(op, arguments_, options))
  }

  /** What was answered to a call, where it has the form `answer`. */
  #checked<T extends z.core.$ZodType>(op: string, answer: T, said: unknown): z.infer<T> {
    const parsed = z.safeParse(answer, said)
    if (parsed.success) return parsed.data
    const issue = parsed.error.issues[0]
    const where = issue === undefined || issue.path.length === 0 ? 'it' : `its "${printable(issue.path.join('.'))}"`
    const why = said === null ? 'it does not know this call' : `${where} has another form than Dask's`
    const { address } = this
    throw new DaskError(`Cannot use the answer of ${address} to "${op}": ${why}`, { reason: 'not-dask', address })
  }
}

/** Says which part of a cluster this is, where it is no scheduler. */
function formatWhoElse(said: unknown): string | undefined {
  const worker = z.safeParse(workerIdentitySchema, said)
  if (worker.success)
    return `a Dask worker answers there, not a scheduler; its scheduler is at ${printable(worker.data.scheduler)}`
  return z.safeParse(nannyIdentitySchema, said).success ? 'a Dask nanny answers there, not a scheduler' : undefined
}
