import { execFile, type ExecFileException } from 'node:child_process'
import { formatDuration } from '../util/duration.ts'
import { formatExit } from './exit.ts'
import { formatStartError } from './start-error.ts'

/** How a program is asked. */
export interface AskProgramOptions {
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** How long it may take; it is killed then. In milliseconds. */
  readonly timeout: number
  /** Kills it where it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** What a program has printed, decoded as UTF-8; bytes that are none are U+FFFD. */
export interface ProgramAnswer {
  readonly stdout: string
  readonly stderr: string
  /** Why that is no answer, such as `exited with status 3`. Undefined where it exited with 0. */
  readonly failure?: {
    readonly how: 'ended' | 'late' | 'talkative' | 'not started'
    readonly why: string
    /** Which one has ended it, if that was not for its time. */
    readonly signal?: NodeJS.Signals
  }
}

/** What a program may print that is asked something: more is no answer. In bytes. */
const longestAnswer = 4_000_000

/** What the shell below is called: its own complaints begin so. */
const shellName = 'dask-run-ask'

/**
 * Node waits, with all that this process does, until a program has begun: for ever, if that or a directory of PATH before it is on
 * a filesystem that hangs. The shell begins at once, and it is killed where it waits for too long.
 */
const shell = ['-c', 'exec "$@"', shellName] as const

/** Runs a program, a path or a name on PATH, for what it prints. Does not throw, whatever it does. */
export async function askProgram(
  command: readonly [string, ...string[]],
  { env, timeout, signal }: AskProgramOptions,
): Promise<ProgramAnswer> {
  const late = AbortSignal.timeout(Math.ceil(timeout))
  // Aborted, it is killed and not waited for: what hangs may not end by that.
  const over = signal === undefined ? late : AbortSignal.any([signal, late])
  const options = { env, signal: over, killSignal: 'SIGKILL', maxBuffer: longestAnswer } as const
  return await new Promise<ProgramAnswer>((resolve) => {
    try {
      const child = execFile('/bin/sh', [...shell, ...command], options, (error, stdout, stderr) => {
        if (over.aborted) child.unref()
        const failure = error === null ? undefined : whyFailed(error, stderr, late.aborted ? timeout : undefined)
        // What the shell says of it has become words of ours.
        resolve({ stdout, stderr: failure?.how === 'not started' ? '' : stderr, ...(failure && { failure }) })
      })
    } catch (error) {
      // Such as a name that no program can have, or arguments that are too long.
      resolve({ stdout: '', stderr: '', failure: { how: 'not started', why: formatStartError(error) } })
    }
  })
}

/** @param lateAfter its time limit, where that has passed */
function whyFailed(
  error: ExecFileException,
  stderr: string,
  lateAfter: number | undefined,
): NonNullable<ProgramAnswer['failure']> {
  const { code, signal } = error
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return { how: 'talkative', why: `printed more than ${longestAnswer / 1_000_000} MB` }
  if (code === 'ABORT_ERR' && lateAfter !== undefined)
    return { how: 'late', why: `did not answer within ${formatDuration(lateAfter)}` }
  if ((code === 126 || code === 127) && stderr.startsWith(`${shellName}: `))
    return { how: 'not started', why: formatStartError(shellError(code, stderr)) }
  if (typeof code === 'number') return { how: 'ended', why: formatExit({ status: code, signal: null, forced: false }) }
  if (typeof signal === 'string')
    return { how: 'ended', why: formatExit({ status: null, signal, forced: false }), signal }
  return { how: 'not started', why: formatStartError(error) }
}

/** What a shell says of a program that it cannot start, as Node would have it. */
function shellError(status: 126 | 127, stderr: string): Error {
  if (status === 127) return Object.assign(new Error('not found'), { code: 'ENOENT' })
  const why = lastWords(stderr)?.split(': ').at(-1) ?? ''
  return Object.assign(new Error(why), why === 'Permission denied' ? { code: 'EACCES' } : {})
}

/** The last line of a text that is not empty, if there is one. */
export function lastWords(text: string): string | undefined {
  return text
    .split('\n')
    .findLast((line) => line.trim() !== '')
    ?.trim()
}
