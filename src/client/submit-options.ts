import type { Duration } from '../util/duration.ts'

/** What tasks may be told beside their arguments; the names and meanings are Dask's. */
export interface SubmitOptions {
  /**
   * Run only there: names of workers, or their addresses. The workers of a run are named by its processes, so
   * `[2]` is rank 2, all of its workers where it has several.
   */
  readonly workers?: readonly (number | string)[] | undefined
  /**
   * Others may run it too, where these have no time or are not there: `workers` is then what it prefers, and
   * names of workers that are not there are left out. @default false
   */
  readonly allowOtherWorkers?: boolean | undefined
  /** What of its resources the worker has to have free, such as `{ GPU: 1 }`. */
  readonly resources?: Readonly<Record<string, number>> | undefined
  /** How often a failed task is tried again. @default 0 */
  readonly retries?: number | undefined
  /**
   * How long a call may take, from its beginning on its worker: after that it is ended, and the task fails with kind
   * `timeout`. For JavaScript the Node process is killed; a Python function is interrupted between two of its steps, so
   * not within one that waits in C, such as `time.sleep`. Each of its `retries` has this time. @default none
   */
  readonly timeLimit?: Duration | undefined
  /** Higher runs earlier. @default 0 */
  readonly priority?: number | undefined
  /** Name of the task; `map` adds a number. Two tasks of one name are one task. @default the function's name and a unique part */
  readonly key?: string | undefined
  /** The function always gives the same for the same arguments: such tasks are computed once. @default false */
  readonly pure?: boolean | undefined
  /** Keyword arguments of a Python function. */
  readonly kwargs?: Readonly<Record<string, unknown>> | undefined
  /**
   * What a JavaScript function uses from outside, by the names under which it uses it: values, futures, and functions that use
   * nothing else. Each call has its own copies. @default nothing
   */
  readonly scope?: Readonly<Record<string, unknown>> | undefined
}

/** The same for the tasks of an async iterable. */
export interface MapOptions extends SubmitOptions {
  /** How many tasks may be under way; no further item is taken before. @default 1000 */
  readonly concurrency?: number | undefined
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined
}
