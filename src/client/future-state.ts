import type { RunnerError } from '../errors.ts'
import { type Deferred, deferred } from '../util/deferred.ts'
import { TaskError } from './task-error.ts'
import type { WorkerNeeds } from './why-pending.ts'

/** Where a task is: `lost` is one whose cluster or client is gone. */
export type FutureStatus = 'pending' | 'finished' | 'error' | 'cancelled' | 'lost'

/** What is known of a task. Its future may be dropped meanwhile. */
export class FutureState {
  readonly number: number
  readonly key: string
  /** What it asks of its worker. */
  readonly needs: WorkerNeeds | undefined
  #status: FutureStatus = 'pending'
  #error: RunnerError | undefined
  #settled: Deferred<void> | undefined
  #value: Deferred<unknown> | undefined

  constructor(number: number, key: string, needs?: WorkerNeeds) {
    this.number = number
    this.key = key
    this.needs = needs
  }

  get status(): FutureStatus {
    return this.#status
  }

  get error(): RunnerError | undefined {
    return this.#error
  }

  /** Resolves when the task is not pending any more. */
  get settled(): Promise<void> {
    this.#settled ??= deferred()
    if (this.#status !== 'pending') this.#settled.resolve()
    return this.#settled.promise
  }

  /** The result on its way here; `ask` is called where it has not been asked for. */
  value(ask: () => void): Promise<unknown> {
    if (this.#value === undefined) {
      this.#value = deferred()
      if (this.#error === undefined) ask()
      else this.#value.reject(this.#error)
    }
    return this.#value.promise
  }

  finish(): void {
    if (this.#status !== 'pending') return
    this.#status = 'finished'
    this.#settled?.resolve()
  }

  /** The result has come. Whoever asks again gets it from the cluster again. */
  deliver(value: unknown): void {
    this.finish()
    this.#value?.resolve(value)
    this.#value = undefined
  }

  /** The result is there and has no form here. */
  refuse(error: TaskError): void {
    this.finish()
    this.#value?.reject(error)
    this.#value = undefined
  }

  /** There is no result, for good. */
  fail(error: RunnerError): void {
    if (this.#error === undefined) {
      this.#error = error
      this.#status = error instanceof TaskError ? (error.kind === 'cancelled' ? 'cancelled' : 'error') : 'lost'
    }
    this.#settled?.resolve()
    this.#value?.reject(error)
    this.#value = undefined
  }
}
