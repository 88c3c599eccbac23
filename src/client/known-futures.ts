import { messageOf, RunnerError } from '../errors.ts'
import { ask } from './ask.ts'
import type { WaitOptions } from './bounded.ts'
import { futuresOf } from './check-futures.ts'
import type { HelperConnection, HelperReport } from './connection.ts'
import { FutureState } from './future-state.ts'
import type { SchedulerInfo } from './cluster-info.ts'
import { TaskError } from './task-error.ts'
import { Dependencies } from './values/dependencies.ts'
import { decodeValue } from './values/arguments.ts'
import { whyPending, type WorkerNeeds } from './why-pending.ts'

/** How long to ask why a task is pending. In milliseconds. */
const explainTimeout = 1_000

/** Over all clients, so that a future of one is unknown to another. */
let count = 0

/** The futures of a client that have not been released, and what is said to the cluster about them. */
export class KnownFutures {
  readonly #connection: HelperConnection
  readonly #states = new Map<number, FutureState>()
  /** Orders that wait for the end of what runs now, to be one message. */
  readonly #orders = { want: [] as number[], release: [] as number[], cancel: [] as number[] }
  readonly #dropped = new FinalizationRegistry<number>((number) => {
    this.release(number)
  })
  readonly #beforeOrders: () => void
  #soon = false

  /** @param beforeOrders sends what has to be sent before anything is said about it */
  constructor(connection: HelperConnection, beforeOrders: () => void) {
    this.#connection = connection
    this.#beforeOrders = beforeOrders
    connection.onReport((report, buffers) => {
      this.#take(report, buffers)
    })
    void connection.lost.then((error) => {
      for (const state of this.#states.values()) state.fail(error)
      this.#states.clear()
    })
  }

  /** A new task, pending unless the cluster is lost. */
  make(key: string, needs?: WorkerNeeds): FutureState {
    const state = new FutureState(count++, key, needs)
    if (this.#connection.error === undefined) this.#states.set(state.number, state)
    else state.fail(this.#connection.error)
    return state
  }

  /** @throws TypeError where one has been released; RunnerError where the cluster or the client is lost. */
  keysOf(numbers: readonly number[]): string[] {
    if (this.#connection.error !== undefined) throw this.#connection.error
    return numbers.map((number) => {
      const state = this.#states.get(number)
      if (state === undefined) throw new TypeError('Cannot pass a future that was released, or is of another client')
      return state.key
    })
  }

  /**
   * The numbers of futures of this client, which the helper process knows from now on.
   *
   * @throws TypeError where one is no future, has been released, or is of another client; RunnerError where the cluster is lost.
   */
  numbersOf(futures: Iterable<unknown>): number[] {
    const dependencies = new Dependencies()
    for (const future of futuresOf(futures)) dependencies.place(future as object)
    this.keysOf(dependencies.numbers)
    this.#beforeOrders()
    return dependencies.numbers
  }

  /** The cluster finishes these tasks though nobody wants their results. */
  forget(futures: Iterable<unknown>): void {
    this.#connection.send({ order: 'fire and forget', futures: this.numbersOf(futures) })
  }

  /** Futures of tasks that the helper process keeps under `token`, by the keys that it said. */
  adopt(token: string, keys: readonly string[]): FutureState[] {
    const states = keys.map((key) => this.make(key))
    this.#connection.send({ order: 'adopt', token, futures: states.map(({ number }) => number) })
    return states
  }

  /** Releases the task when `future` is collected. */
  watch(future: object, state: FutureState): void {
    this.#dropped.register(future, state.number, state)
  }

  /** The result, from the cluster. */
  async value(state: FutureState): Promise<unknown> {
    return await state.value(() => {
      this.#order('want', state.number)
    })
  }

  /** As {@link HelperConnection.wait}. */
  async wait<T>(promise: Promise<T>, options: WaitOptions, what: () => string): Promise<T> {
    return await this.#connection.wait(promise, options, what)
  }

  /** A wait for it was too long: the same error, with what keeps the task from running where that is known. */
  async explain(state: FutureState, error: unknown): Promise<unknown> {
    if (state.status !== 'pending') return error
    if (!(error instanceof RunnerError) || error.code !== 'ERR_TIMED_OUT') return error
    const question = { order: { order: 'info' }, what: 'ask why it is pending', timeout: explainTimeout }
    const info = await ask(this.#connection, question, {}).catch(() => undefined)
    const obstacle = info === undefined ? undefined : whyPending(state.needs, info.ok as SchedulerInfo)
    return obstacle === undefined ? error : new RunnerError(`${error.message}: ${obstacle}`, { code: error.code })
  }

  cancel(state: FutureState): void {
    if (this.#states.has(state.number)) this.#order('cancel', state.number)
  }

  release(number: number): void {
    const state = this.#states.get(number)
    if (state === undefined) return
    this.#states.delete(number)
    this.#dropped.unregister(state)
    state.fail(
      new RunnerError(`Cannot give the result of "${state.key}": its future was released`, {
        code: 'ERR_TASK_CANCELLED',
      }),
    )
    this.#order('release', number)
  }

  #order(order: 'want' | 'release' | 'cancel', number: number): void {
    this.#orders[order].push(number)
    if (this.#soon) return
    this.#soon = true
    queueMicrotask(() => {
      this.#soon = false
      this.#beforeOrders()
      for (const name of ['cancel', 'want', 'release'] as const) {
        const futures = this.#orders[name]
        if (futures.length > 0) this.#connection.send({ order: name, futures })
        this.#orders[name] = []
      }
    })
  }

  #take({ done, failed, values }: HelperReport, buffers: readonly Uint8Array[]): void {
    for (const number of done) this.#states.get(number)?.finish()
    for (const [number, failure] of failed) {
      const state = this.#states.get(number)
      if (state === undefined) continue
      const error = new TaskError(state.key, failure)
      if (failure.passing === true) state.refuse(error)
      else state.fail(error)
    }
    for (const [number, value] of values) {
      const state = this.#states.get(number)
      if (state === undefined) continue
      try {
        state.deliver(decodeValue(value, buffers))
      } catch (error) {
        const text = messageOf(error)
        state.refuse(new TaskError(state.key, { kind: 'value', type: 'TypeError', text, traceback: '', passing: true }))
      }
    }
  }
}
