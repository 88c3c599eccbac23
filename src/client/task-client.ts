/* eslint-disable @typescript-eslint/unified-signatures -- the kinds of the arguments are not inferred from a union of functions */
/** What {@link TaskClient.submit} may be told; the names and meanings are those of `SubmitOptions`. */
export interface TaskSubmitOptions {
  readonly retries?: number | undefined
  readonly priority?: number | undefined
  readonly resources?: Readonly<Record<string, number>> | undefined
  /** @default the function's name and a unique part */
  readonly key?: string | undefined
}

/** A task that another one has submitted. As an argument of a further one it is a dependency. */
export interface TaskFuture<T> {
  readonly key: string
  /**
   * The result. The first wait of a task frees its place on the worker for others, as `secede` does in Dask.
   *
   * @throws TaskError where there is none.
   */
  result(): Promise<T>
}

/** Arguments of a task, with futures in them. */
type TaskInputs<A extends readonly unknown[]> = { readonly [K in keyof A]: A[K] | TaskFuture<A[K]> }

/** Submits tasks from within one; a function gets it by `withClient`. The tasks are forgotten when that function has ended. */
export interface TaskClient {
  /** Has a worker call a JavaScript function, which has to be known by its text alone. */
  submit<A extends readonly unknown[], R>(
    callable: (...args: A) => R,
    args: TaskInputs<A>,
    options?: TaskSubmitOptions,
  ): TaskFuture<Awaited<R>>
  submit<R>(callable: () => R, args?: readonly [], options?: TaskSubmitOptions): TaskFuture<Awaited<R>>
  /** The function that is running may submit itself by its own name: it gets a client again. */
  submit<A extends readonly unknown[], R>(
    callable: (client: TaskClient, ...args: A) => R,
    args: TaskInputs<A>,
    options?: TaskSubmitOptions,
  ): TaskFuture<Awaited<R>>
  /** The same for each item. */
  map<T, R>(
    callable: (item: T) => R,
    items: Iterable<T | TaskFuture<T>>,
    options?: TaskSubmitOptions,
  ): TaskFuture<Awaited<R>>[]
  map<T, R>(
    callable: (client: TaskClient, item: T) => R,
    items: Iterable<T | TaskFuture<T>>,
    options?: TaskSubmitOptions,
  ): TaskFuture<Awaited<R>>[]
  /** The results of all, in their order. */
  gather<const F extends readonly TaskFuture<unknown>[]>(
    futures: F,
  ): Promise<{ -readonly [K in keyof F]: F[K] extends TaskFuture<infer R> ? R : never }>
}
