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

/** Who waits for it: made when somebody asks. */
interface Waiting {
  /** For its end. */
  settled?: Deferred<void>
  /** For its result. */
  value?: Deferred<unknown> | undefined
}

/** What is known of a task. Its future may be dropped meanwhile. */
export class FutureState {
  readonly number: number
  readonly key: string
  /** What it asks of its worker. */
  readonly needs: WorkerNeeds
  #task: TaskState = { status: 'pending' }
  readonly #waiting: Waiting = {}

  constructor(number: number, key: string, needs: WorkerNeeds = {}) {
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
    this.#waiting.settled ??= deferred()
    if (this.#task.status !== 'pending') this.#waiting.settled.resolve()
    return this.#waiting.settled.promise
  }

  /** The result on its way here; `ask` is called where it has not been asked for. */
  value(ask: () => void): Promise<unknown> {
    if (this.#waiting.value === undefined) {
      this.#waiting.value = deferred()
      if (this.#task.error === undefined) ask()
      else this.#waiting.value.reject(this.#task.error)
    }
    return this.#waiting.value.promise
  }

  finish(): void {
    if (this.#task.status !== 'pending') return
    this.#task = { status: 'finished' }
    this.#waiting.settled?.resolve()
  }

  /** The result has come. Whoever asks again gets it from the cluster again. */
  deliver(value: unknown): void {
    this.finish()
    this.#waiting.value?.resolve(value)
    this.#waiting.value = undefined
  }

  /** The result is there and has no form here. */
  refuse(error: TaskError): void {
    this.finish()
    this.#waiting.value?.reject(error)
    this.#waiting.value = undefined
  }

  /** There is no result, for good. */
  fail(error: RunnerError): void {
    if (this.#task.error === undefined) this.#task = { status: statusOf(error), error }
    this.#waiting.settled?.resolve()
    this.#waiting.value?.reject(error)
    this.#waiting.value = undefined
  }
}

function statusOf(error: RunnerError): 'error' | 'cancelled' | 'lost' {
  if (!(error instanceof TaskError)) return 'lost'
  return error.kind === 'cancelled' ? 'cancelled' : 'error'
}
