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
