import { basename, dirname } from 'node:path'
import { errnoOf, RunnerError } from '../../errors.ts'
import { formatReadError } from '../../filesystem/system-error.ts'
import { readNamed } from '../../filesystem/read-named.ts'
import { UntrustedError } from '../../filesystem/untrusted.ts'
import { parseSchedulerFile } from '../../record/parse.ts'
import type { SchedulerFile } from '../../record/scheduler-file.ts'
import { formatDuration } from '../../util/duration.ts'
import { monotonic } from '../../util/monotonic.ts'
import type { VerifyScheduler } from './path-state.ts'
import { mayPass, watchDirectory } from './watch.ts'

/** How an existing cluster is looked for. */
export interface FindExistingOptions {
  readonly verifyScheduler: VerifyScheduler
  /** Milliseconds that the cluster may take to appear. */
  readonly timeout: number
  /** Milliseconds that its filesystem may take for one look. */
  readonly filesystemTimeout: number
  readonly signal: AbortSignal
  /** Called with what is missing, whenever that has been looked at. */
  readonly onMissing?: (what: string) => void
}

/** Between two looks at the file, and between two questions to a scheduler that did not answer. In milliseconds. */
const [lookInterval, askInterval] = [500, 1_000]

/**
 * The cluster of a scheduler file that another program publishes. The file may still be to come, and so may its
 * successor, where it was left by a scheduler that is gone.
 *
 * @throws RunnerError ERR_TIMED_OUT where it does not come, ERR_UNAVAILABLE where it is no scheduler file of this user.
 */
export async function findExistingCluster(path: string, options: FindExistingOptions): Promise<SchedulerFile> {
  const { verifyScheduler, timeout, filesystemTimeout, signal, onMissing } = options
  let missing = 'for the file'
  let askedAt = -Infinity
  const refuse = (why: string): RunnerError =>
    new RunnerError(`Cannot join the cluster of "${path}": ${why}`, { code: 'ERR_UNAVAILABLE' })
  const read = async (names: readonly string[]): Promise<SchedulerFile | undefined> => {
    if (!names.includes(basename(path))) return undefined
    const parsed = parseSchedulerFile(await readNamed(path).catch(unread))
    if (parsed.kind === 'foreign') throw refuse(parsed.why)
    if (parsed.kind !== 'valid' || monotonic() - askedAt < askInterval) return undefined
    return parsed.file
  }
  const unread = (error: unknown): string => {
    if (error instanceof UntrustedError) throw refuse(error.message)
    if (errnoOf(error) === 'ENOENT') return ''
    throw mayPass(error) ? error : refuse(formatReadError(error))
  }
  const late = (): RunnerError =>
    new RunnerError(`Cannot join the cluster of "${path}": waited ${formatDuration(timeout)} ${missing}`, {
      code: 'ERR_TIMED_OUT',
    })
  for (const end = monotonic() + timeout; ;) {
    const file = await watchDirectory(dirname(path), read, {
      mode: 'poll',
      interval: lookInterval,
      timeout: Math.max(1, end - monotonic()),
      filesystemTimeout,
      signal,
      notice: () => undefined,
      late,
    })
    const answer = await verifyScheduler(file)
    askedAt = monotonic()
    if (answer === 'answers') return file
    missing = `for its scheduler: that at ${file.address} ${says[answer]}`
    onMissing?.(missing)
  }
}

const says = {
  refuses: 'is gone',
  other: 'is gone, something else answers there',
  silent: 'accepts the connection and does not answer: busy, or frozen',
  unreachable: 'cannot be reached',
} as const
