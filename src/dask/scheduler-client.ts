import {
  identity,
  type SchedulerIdentity,
  runningWorkers,
  type SchedulerVersions,
  taskCounts,
  type TaskCounts,
  versions,
  getMetadata,
  setMetadata,
} from './calls/questions.ts'
import { type RetireCallOptions, retireWorkers, type WorkersToRetire, terminate, unregister } from './calls/orders.ts'
import { DaskConnection, type DaskConnectionOptions, type AnswerOptions } from './connection.ts'
import { waitForWorkers, type WaitForWorkersOptions } from './wait-for-workers.ts'

/**
 * Asks a Dask scheduler and tells it what to do, without Python. Each method throws DaskError where
 * the answer does not come in time, and DaskCallError where it is an exception; a connection that
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

  /** Who the scheduler is, and what it knows of its workers. */
  async identity(options?: AnswerOptions): Promise<SchedulerIdentity> {
    return await identity(this.#connection, options)
  }

  /** Addresses of the workers that take tasks, with their threads. */
  async runningWorkers(options?: AnswerOptions): Promise<ReadonlyMap<string, number>> {
    return await runningWorkers(this.#connection, options)
  }

  /** How many tasks there are, by state; only a scheduler of ours can tell. */
  async taskCounts(options?: AnswerOptions): Promise<TaskCounts> {
    return await taskCounts(this.#connection, options)
  }

  /** Waits until so many workers are registered and running. */
  async waitForWorkers(count: number, options: WaitForWorkersOptions): Promise<number> {
    return await waitForWorkers(this.#connection, count, options)
  }

  /** Closes workers after their data has moved to the others; gives the addresses of those that were there. */
  async retireWorkers(which: WorkersToRetire, options?: RetireCallOptions): Promise<readonly string[]> {
    return await retireWorkers(this.#connection, which, options)
  }

  /** Gives up the worker at `address`, which is not heard any more: its tasks run elsewhere. */
  async unregister(address: string, options?: AnswerOptions): Promise<void> {
    await unregister(this.#connection, address, options)
  }

  /** Ends the scheduler and its workers. */
  async terminate(options?: AnswerOptions): Promise<void> {
    await terminate(this.#connection, options)
  }

  async versions(options?: AnswerOptions): Promise<SchedulerVersions> {
    return await versions(this.#connection, options)
  }

  async getMetadata(key: string, options?: AnswerOptions): Promise<unknown> {
    return await getMetadata(this.#connection, key, options)
  }

  async setMetadata(key: string, value: unknown, options?: AnswerOptions): Promise<void> {
    await setMetadata(this.#connection, key, value, options)
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
}
