import { RunnerError } from '../../errors.ts'
import { formatSystemError } from '../../filesystem/system-error.ts'
import { UntrustedError } from '../../filesystem/untrusted.ts'
import { formatDuration } from '../../util/duration.ts'

/** The error that says that `path` cannot be published, and why. A RunnerError passes unchanged. */
export function cannotPublish(path: string, error: unknown): RunnerError {
  if (error instanceof RunnerError) return error
  const advice = error instanceof UntrustedError ? '; have it removed, or name another scheduler file' : ''
  return new RunnerError(`Cannot publish "${path}": ${formatSystemError(error)}${advice}`, {
    code: 'ERR_CANNOT_PUBLISH',
    cause: error,
  })
}

/** A filesystem has not answered in its time: what is done there may hold a thread of this process for ever. */
export class IoTimeoutError extends RunnerError {
  /**
   * @param doing begins the message, such as `Cannot read "/scratch/F.json"`
   * @param timeout in milliseconds
   */
  constructor(doing: string, timeout: number) {
    super(
      `${doing}: its filesystem has not answered for ${formatDuration(timeout)}; ` +
        'see whether it hangs on this node (--filesystem-timeout waits longer)',
      { code: 'ERR_CANNOT_PUBLISH' },
    )
  }
}

/** The error that says in the caller's own words why the scheduler file's path cannot be used. */
export function refusal(path: string, why: string): RunnerError {
  return new RunnerError(`Cannot publish "${path}": ${why}`, { code: 'ERR_CANNOT_PUBLISH' })
}
