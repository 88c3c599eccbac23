// The client that a task has, over the pipe to its worker (src/python/tasks-nested.py):
//
//   {nested: 'submit', number, key, spec, arguments: value, dependencies: [number...], options}
//   {nested: 'result', number} -> {nested: number, value} | {nested: number, failed: failure}
import { randomUUID } from 'node:crypto'
import { leadToCallers } from '../call-site.ts'
import { RemoteFunction } from '../callable.ts'
import { checkOptions } from '../check-options.ts'
import { functionText, nameOf, ownName } from '../function-text.ts'
import type { Frame } from '../frames.ts'
import type { TaskClient, TaskSubmitOptions } from '../task-client.ts'
import type { TaskFuture } from '../task-future.ts'
import { type DescribedFailure, TaskError } from '../task-error.ts'
import { decodeValue } from '../values/arguments.ts'
import { Dependencies, futureNumber } from '../values/dependencies.ts'
import { type HeaderValue, intoHeader } from '../values/encoded.ts'
import { encodeStructured } from '../values/structured.ts'
import { type Deferred, deferred } from '../../util/deferred.ts'
import type { Runnable } from './compile.ts'

/** What comes back. */
export interface NestedAnswer {
  readonly nested: number
  readonly value?: HeaderValue
  readonly failed?: DescribedFailure
}

class NestedFuture implements TaskFuture<unknown> {
  static {
    leadToCallers(this)
  }

  readonly key: string
  readonly [futureNumber]: number
  readonly #ask: () => Promise<unknown>

  constructor(number: number, key: string, ask: () => Promise<unknown>) {
    this[futureNumber] = number
    this.key = key
    this.#ask = ask
  }

  async result(): Promise<unknown> {
    return await this.#ask()
  }
}

/** Over all calls of this process, so that a future of one is unknown to the next. */
let count = 0

/** The client of one call. */
export class NestedClient {
  static {
    leadToCallers(this)
  }

  readonly #send: (frame: Frame) => void
  readonly #running: { readonly run: Runnable; readonly spec: Uint8Array }
  #over = false
  readonly #results = new Map<number, { readonly key: string; value?: Deferred<unknown> }>()

  /** @param running the function of the call, and what the workers are told of it */
  constructor(running: { readonly run: Runnable; readonly spec: Uint8Array }, send: (frame: Frame) => void) {
    this.#running = running
    this.#send = send
  }

  /** What the function is given. */
  get client(): TaskClient {
    const submit = this.#submit.bind(this)
    return {
      submit,
      map: (callable: Runnable, items: Iterable<unknown>, options?: TaskSubmitOptions) =>
        Array.from(items, (item) => submit(callable, [item], options)),
      gather: this.gather.bind(this),
    } as unknown as TaskClient
  }

  async gather(futures: readonly TaskFuture<unknown>[]): Promise<unknown[]> {
    return await Promise.all(futures.map(async (future) => await future.result()))
  }

  /** The call has ended, and its tasks with it. What it has left running must not come into the next one. */
  end(): void {
    this.#over = true
  }

  take({ nested, value, failed }: NestedAnswer, buffers: readonly Uint8Array[]): void {
    const task = this.#results.get(nested)
    if (task?.value === undefined) return
    try {
      if (failed !== undefined) task.value.reject(new TaskError(task.key, failed))
      else if (value !== undefined) task.value.resolve(decodeValue(value, buffers))
    } catch (error) {
      task.value.reject(error)
    }
  }

  #submit(callable: Runnable, args: readonly unknown[] = [], options: TaskSubmitOptions = {}): NestedFuture {
    if (this.#over) throw new Error('Cannot submit: the function that was given this client has ended')
    // As for the client: Dask's scheduler calculates with what it is given.
    checkOptions(options, ['retries', 'priority', 'resources', 'key'], 'submit from a task')
    const { key, ...others } = options
    const { run, spec: own } = this.#running
    const dependencies = new Dependencies()
    const buffers: Uint8Array[] = []
    const encoded = intoHeader(encodeStructured(args, 'arguments', dependencies), buffers)
    if (!dependencies.numbers.every((number) => this.#results.has(number)))
      throw new TypeError('Cannot pass a future of another task: the client that has given it has ended')
    const spec =
      callable === run
        ? own
        : new RemoteFunction('javascript', callable.name, {
            text: functionText(callable),
            own: ownName(callable),
            nested: true,
          }).spec
    const name = key ?? `${nameOf(callable) || 'anonymous'}-${randomUUID()}`
    const number = count++
    this.#results.set(number, { key: name })
    this.#send({
      header: {
        nested: 'submit',
        number,
        key: name,
        spec,
        arguments: encoded,
        dependencies: dependencies.numbers,
        options: others,
      },
      buffers,
    })
    return new NestedFuture(number, name, async () => await this.#result(number))
  }

  /** Asked for once, and kept: the call ends soon. */
  async #result(number: number): Promise<unknown> {
    const task = this.#results.get(number)
    if (task === undefined || this.#over)
      throw new Error('Cannot give a result: the function that was given this client has ended')
    if (task.value === undefined) {
      task.value = deferred()
      this.#send({ header: { nested: 'result', number }, buffers: [] })
    }
    return await task.value.promise
  }
}
