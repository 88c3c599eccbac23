import { copied, type ErrorCode, RunnerError } from '../errors.ts'
import { decodeThrown } from './javascript/thrown.ts'

/** Why a task has no result. */
export type TaskFailure =
  /** Its Python function raised. */
  | 'python'
  /** Its JavaScript function threw. */
  | 'javascript'
  /** The worker that ran it died, and with it as many others as Dask allows. */
  | 'worker'
  /** The Node process that ran its function ended, or could not be started. */
  | 'node'
  /** It took longer than its `timeLimit`. */
  | 'timeout'
  /** Its result has no form in TypeScript, or what it depends on none in the language of its function. */
  | 'value'
  /** It could not be given to the cluster, where there is no worker of a name for one. */
  | 'submission'
  | 'cancelled'

/** A failure as the helper process describes it (src/python/tasks-failures.py). */
export interface DescribedFailure {
  readonly kind: TaskFailure
  readonly type: string
  readonly text: string
  readonly traceback: string
  /** There is a result, which cannot be had here. */
  readonly passing?: boolean
  readonly details?: Uint8Array
  readonly worker?: string
}

/**
 * A task that has no result, and why. The `cause` is what a JavaScript function threw, or the error of a Python function with its
 * traceback as its stack.
 */
export class TaskError extends RunnerError {
  override readonly name = 'TaskError'
  /** Key of the task. */
  readonly key: string
  readonly kind: TaskFailure
  /** Type of the Python exception, such as `ValueError` or `package.module.Error`. */
  readonly pythonType: string | undefined
  /** Python's own traceback; empty where there is none. */
  readonly traceback: string
  /** Address of the worker that died. */
  readonly worker: string | undefined

  readonly #failure: DescribedFailure

  /** @internal */
  constructor(key: string, failure: DescribedFailure, cause: unknown = causeOf(failure)) {
    super(say(key, failure), { code: codes[failure.kind] ?? 'ERR_TASK_FAILED', cause })
    this.#failure = failure
    this.key = key
    this.kind = failure.kind
    this.pythonType = failure.kind === 'python' ? failure.type : undefined
    this.traceback = failure.traceback
    this.worker = failure.worker
    // What is printed with the error: nothing that is not there, or that its cause has.
    for (const name of ['pythonType', 'traceback', 'worker', 'lastLines'] as const)
      if (name === 'traceback' || !this[name]?.length) Object.defineProperty(this, name, { enumerable: false })
  }

  /** @internal */
  override [copied](): TaskError {
    return new TaskError(this.key, this.#failure, this.cause)
  }
}

function say(key: string, { kind, type, text, worker, passing }: DescribedFailure): string {
  switch (kind) {
    case 'python':
      return `Cannot compute "${key}": ${type}${text === '' ? '' : `: ${text}`}`
    case 'worker':
      return `Cannot compute "${key}": its worker ${worker ?? ''} died: ${text}`
    case 'cancelled':
      return `Cannot give the result of "${key}": it was cancelled, or what it needs was lost${text === '' || text === key ? '' : `: ${text}`}`
    case 'value':
      return `Cannot ${passing === true ? 'give the result of' : 'compute'} "${key}": ${text}`
    case 'submission':
      return `Cannot submit "${key}": ${text}`
    case 'javascript':
    case 'node':
    case 'timeout':
      return `Cannot compute "${key}": ${text}`
  }
}

/** Of those that are no plain failures of the task. */
const codes: Partial<Record<TaskFailure, ErrorCode>> = {
  cancelled: 'ERR_TASK_CANCELLED',
  worker: 'ERR_COMPONENT_LOST',
  timeout: 'ERR_TIMED_OUT',
}

function causeOf({ type, text, traceback, details }: DescribedFailure): unknown {
  if (details !== undefined) return decodeThrown(details)
  if (traceback === '') return undefined
  const error = new Error(text)
  const hidden = { configurable: true, writable: true, enumerable: false }
  Object.defineProperty(error, 'name', { value: type, ...hidden })
  Object.defineProperty(error, 'stack', { value: traceback.trimEnd(), ...hidden })
  return error
}
