/* eslint-disable @typescript-eslint/unified-signatures -- the kinds of the arguments are not inferred from a union of functions */
import type { AllSendable, Input, Inputs, Sendable } from './inputs.ts'
import type { TaskFuture } from './task-future.ts'

/** What {@link TaskClient.submit} may be told; the names and meanings are those of `SubmitOptions`. */
export interface TaskSubmitOptions {
  readonly retries?: number | undefined
  readonly priority?: number | undefined
  readonly resources?: Readonly<Record<string, number>> | undefined
  /** @default the function's name and a unique part */
  readonly key?: string | undefined
}

/** Submits tasks from within one; a function gets it by `withClient`. The tasks are forgotten when that function has ended. */
export interface TaskClient {
  /** Has a worker call a JavaScript function, which has to be known by its text alone. */
  submit<R>(callable: () => R, args?: readonly [], options?: TaskSubmitOptions): TaskFuture<Awaited<R>>
  submit<T, R>(
    callable: (item: T) => R,
    args: readonly [Input<T, 'task'>] & Sendable<T>,
    options?: TaskSubmitOptions,
  ): TaskFuture<Awaited<R>>
  submit<A extends readonly unknown[], R>(
    callable: (...args: A) => R,
    args: Inputs<A, 'task'> & AllSendable<NoInfer<A>>,
    options?: TaskSubmitOptions,
  ): TaskFuture<Awaited<R>>
  /** The function that is running may submit itself by its own name: it gets a client again. */
  submit<A extends readonly unknown[], R>(
    callable: (client: TaskClient, ...args: A) => R,
    args: Inputs<A, 'task'> & AllSendable<NoInfer<A>>,
    options?: TaskSubmitOptions,
  ): TaskFuture<Awaited<R>>
  /** The same for each item. */
  map<T, R>(
    callable: (item: T) => R,
    items: Iterable<Input<T, 'task'>> & Sendable<T>,
    options?: TaskSubmitOptions,
  ): TaskFuture<Awaited<R>>[]
  map<T, R>(
    callable: (client: TaskClient, item: T) => R,
    items: Iterable<Input<T, 'task'>> & Sendable<T>,
    options?: TaskSubmitOptions,
  ): TaskFuture<Awaited<R>>[]
  /** The results of all, in their order. */
  gather<const F extends readonly TaskFuture<unknown>[]>(
    futures: F,
  ): Promise<{ -readonly [K in keyof F]: F[K] extends TaskFuture<infer R> ? R : never }>
}
