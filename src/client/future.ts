import type { RunnerError } from '../errors.ts'
import type { FutureState, FutureStatus } from './future-state.ts'
import type { KnownFutures } from './known-futures.ts'
import type { WaitOptions } from './bounded.ts'
import { checkOptions, waitNames } from './check-options.ts'
import { callSite, leadToCallers, ledTo } from './call-site.ts'
import { futureNumber } from './values/dependencies.ts'

/** Under these names whoever waits for several futures has the result, and the end, of one: a wait that keeps no process alive. */
export const unheldResult = Symbol('unheldResult')
export const unheldEnd = Symbol('unheldEnd')

/**
 * A task of the cluster and its result, which stays on the workers until it is asked for. As an argument of
 * another task it is a dependency. A future that is dropped releases its task.
 */
export class Future<T> {
  static {
    leadToCallers(this)
  }

  /** The task's name in the cluster. */
  readonly key: string
  readonly #state: FutureState
  readonly #states: KnownFutures

  /** @internal */
  constructor(state: FutureState, states: KnownFutures) {
    this.key = state.key
    this.#state = state
    this.#states = states
    states.watch(this, state)
  }

  /** @internal */
  get [futureNumber](): number {
    return this.#state.number
  }

  get status(): FutureStatus {
    return this.#state.status
  }

  /**
   * The result. It is not kept here: asked for again, it comes from the cluster again.
   *
   * @throws TaskError where there is none; RunnerError ERR_COMPONENT_LOST where the cluster or the client is
   * lost, ERR_TIMED_OUT; the reason of `signal`.
   */
  async result(options: WaitOptions = {}): Promise<T> {
    checkOptions(options, waitNames, 'give a result')
    const what = (): string => `give the result of "${this.key}": it is ${this.status}`
    return (await this.#wait(this.#states.value(this.#state), options, what)) as T
  }

  /** Why there is no result, or undefined where there is one. Waits until that is known. */
  async exception(options: WaitOptions = {}): Promise<RunnerError | undefined> {
    const site = callSite()
    checkOptions(options, waitNames, 'say how a task ends')
    await this.#wait(this.#state.settled, options, () => `say how "${this.key}" ends: it is ${this.status}`)
    return ledTo(site, this.#state.error) as RunnerError | undefined
  }

  /** @internal */
  async [unheldResult](): Promise<T> {
    return (await this.#states.value(this.#state)) as T
  }

  /** @internal */
  get [unheldEnd](): Promise<void> {
    return this.#state.settled
  }

  async #wait<V>(promise: Promise<V>, options: WaitOptions, what: () => string): Promise<V> {
    try {
      return await this.#states.wait(promise, options, what)
    } catch (error) {
      throw await this.#states.explain(this.#state, error)
    }
  }

  /**
   * Takes the task back. Where it runs already, a JavaScript function is ended with its Node process, and a Python
   * function runs on, its result is thrown away.
   */
  cancel(): void {
    this.#states.cancel(this.#state)
  }

  /** Tells the cluster that nobody here wants the result any more. Tasks that depend on it still get it. */
  release(): void {
    this.#states.release(this.#state.number)
  }
}
