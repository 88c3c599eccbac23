import { constants } from 'node:os'

/** What kind of thing went wrong: the closed list behind {@link RunnerError.code}. */
export type ErrorCode =
  | 'ERR_USAGE'
  | 'ERR_COMPONENT_LOST'
  | 'ERR_UNAVAILABLE'
  | 'ERR_BUG'
  | 'ERR_CANNOT_PUBLISH'
  | 'ERR_CANNOT_PRINT'
  | 'ERR_TIMED_OUT'
  | 'ERR_ENVIRONMENT'
  | 'ERR_TASK_FAILED'
  | 'ERR_TASK_CANCELLED'

/**
 * The exit status of each kind of failure. The numbers are those of BSD's sysexits, so that they
 * stay clear of the small numbers that programs use themselves and of 128+n for signals.
 */
export const exitStatuses: Readonly<Record<ErrorCode, number>> = {
  ERR_USAGE: 64,
  ERR_COMPONENT_LOST: 69,
  ERR_UNAVAILABLE: 69,
  ERR_BUG: 70,
  ERR_CANNOT_PUBLISH: 73,
  ERR_CANNOT_PRINT: 74,
  ERR_TIMED_OUT: 75,
  ERR_ENVIRONMENT: 78,
  ERR_TASK_FAILED: 70,
  ERR_TASK_CANCELLED: 70,
}

/** What a {@link RunnerError} knows beside its message. */
export interface RunnerErrorOptions {
  /** What kind of failure this is. */
  readonly code: ErrorCode
  /** The error that led to this one. */
  readonly cause?: unknown
  /** The last lines that a failed process printed, oldest first. */
  readonly lastLines?: readonly string[]
}

/** Under this name a subclass of {@link RunnerError} makes a copy of itself. */
export const copied = Symbol('copied')

/** The root of every error that this library throws for a reason outside of its caller's arguments. */
export class RunnerError extends Error {
  override readonly name: string = 'RunnerError'
  readonly code: ErrorCode
  /** The last lines that a failed process printed, oldest first; empty where there is none. */
  readonly lastLines: readonly string[]

  constructor(message: string, options: RunnerErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
    this.lastLines = options.lastLines ?? []
  }

  /** @internal */
  [copied](): RunnerError {
    // One of a subclass that says nothing of it is left alone.
    return Object.getPrototypeOf(this) === RunnerError.prototype ? new RunnerError(this.message, this) : this
  }
}

/** An error with the same content, whose stack may be another one. */
export function copyOf(error: RunnerError): RunnerError {
  return error[copied]()
}

/** The exit status that tells `error` to the workload manager: sysexits, 70 for what nobody foresaw. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof RunnerError) return exitStatuses[error.code]
  if (error instanceof TypeError || error instanceof RangeError) return exitStatuses.ERR_USAGE
  return exitStatuses.ERR_BUG
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The `code` of a Node system error such as `ENOENT`, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return 'errno' in error && error.code.startsWith('Unknown system error') ? nameless(error.errno) : error.code
}

/** Errors of network filesystems, for which libuv has no name. */
function nameless(errno: unknown): string | undefined {
  const { EDQUOT, ESTALE } = constants.errno
  return errno === -EDQUOT ? 'EDQUOT' : errno === -ESTALE ? 'ESTALE' : undefined
}
