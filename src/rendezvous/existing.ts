import { basename, dirname } from 'node:path'
import { errnoOf, RunnerError } from '../errors.ts'
import { readNamed } from '../filesystem/read-named.ts'
import { UntrustedError } from '../filesystem/untrusted.ts'
import { parseSchedulerFile } from '../record/parse.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import { sayDuration } from '../util/duration.ts'
import type { AskScheduler } from './judgement.ts'
import { watchDirectory } from './watch.ts'

/** How an existing cluster is looked for. */
export interface FindExistingOptions {
  readonly askScheduler: AskScheduler
  /** Milliseconds that the file may take to appear. */
  readonly timeout: number
  /** Milliseconds that its filesystem may take for one look. */
  readonly filesystemTimeout: number
  readonly signal: AbortSignal
}

/**
 * The cluster of a scheduler file that another program publishes; the file may still be to come.
 *
 * @throws RunnerError ERR_TIMED_OUT where it does not come, ERR_UNAVAILABLE where it is no scheduler
 * file of this user or its scheduler does not answer.
 */
export async function findExistingCluster(path: string, options: FindExistingOptions): Promise<SchedulerFile> {
  const { askScheduler, timeout, filesystemTimeout, signal } = options
  const refuse = (why: string): RunnerError =>
    new RunnerError(`Cannot join the cluster of "${path}": ${why}`, { code: 'ERR_UNAVAILABLE' })
  const read = async (names: readonly string[]): Promise<SchedulerFile | undefined> => {
    if (!names.includes(basename(path))) return undefined
    const parsed = parseSchedulerFile(await readNamed(path).catch(unread))
    if (parsed.kind === 'foreign') throw refuse(parsed.why)
    return parsed.kind === 'valid' ? parsed.file : undefined
  }
  const unread = (error: unknown): string => {
    if (error instanceof UntrustedError) throw refuse(error.message)
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
  const file = await watchDirectory(dirname(path), read, {
    mode: 'poll',
    interval: () => 500,
    timeout,
    filesystemTimeout,
    signal,
    notice: () => undefined,
    late: () =>
      new RunnerError(`Cannot join the cluster of "${path}": waited ${sayDuration(timeout)} for the file`, {
        code: 'ERR_TIMED_OUT',
      }),
  })
  const answer = await askScheduler(file)
  if (answer === 'answers') return file
  throw refuse(`its scheduler at ${file.address} ${says[answer]}`)
}

const says = {
  refuses: 'is gone',
  other: 'is gone, something else answers there',
  silent: 'accepts the connection and does not answer: busy, or frozen',
  unreachable: 'cannot be reached',
} as const
