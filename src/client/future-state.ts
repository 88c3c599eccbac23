import type { RunnerError } from '../errors.ts'
import { type Deferred, deferred } from '../util/deferred.ts'
import { TaskError } from './task-error.ts'
import type { WorkerNeeds } from './why-pending.ts'

/** Where a task is: `lost` is one whose cluster or client is gone. */
export type FutureStatus = 'pending' | 'finished' | 'error' | 'cancelled' | 'lost'

/** A task, and why it has no result. */
type TaskState =
  | { readonly status: 'pending' | 'finished'; readonly error?: undefined }
  | { readonly status: 'error' | 'cancelled' | 'lost'; readonly error: RunnerError }

// There are ten thousand of these at once.
const pending: TaskState = { status: 'pending' }
const finished: TaskState = { status: 'finished' }
const noNeeds: WorkerNeeds = {}

/** What is known of a task. Its future may be dropped meanwhile. */
export class FutureState {
  readonly number: number
  readonly key: string
  /** What it asks of its worker. */
  readonly needs: WorkerNeeds
  #task: TaskState = pending
  /** Who waits for its end, and who for its result: made when somebody asks. */
  #ending: Deferred<void> | undefined
  #value: Deferred<unknown> | undefined

  constructor(number: number, key: string, needs: WorkerNeeds = noNeeds) {
    this.number = number
    this.key = key
    this.needs = needs
  }

  get status(): FutureStatus {
    return this.#task.status
  }

  get error(): RunnerError | undefined {
    return this.#task.error
  }

  /** Resolves when the task is not pending any more. */
  get settled(): Promise<void> {
    this.#ending ??= deferred()
    if (this.#task.status !== 'pending') this.#ending.resolve()
    return this.#ending.promise
  }

  /** The result on its way here; `ask` is called where it has not been asked for. */
  value(ask: () => void): Promise<unknown> {
    if (this.#value === undefined) {
      this.#value = deferred()
      if (this.#task.error === undefined) ask()
      else this.#value.reject(this.#task.error)
    }
    return this.#value.promise
  }

  finish(): void {
    if (this.#task.status !== 'pending') return
    this.#task = finished
    this.#ending?.resolve()
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
    if (this.#task.error === undefined) this.#task = { status: statusOf(error), error }
    this.#ending?.resolve()
    this.#value?.reject(error)
    this.#value = undefined
  }
}

function statusOf(error: RunnerError): 'error' | 'cancelled' | 'lost' {
  if (!(error instanceof TaskError)) return 'lost'
  return error.kind === 'cancelled' ? 'cancelled' : 'error'
}
