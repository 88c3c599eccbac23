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

/** Runs a program, a path or a name on PATH, for what it prints. Does not throw, whatever it does. */
export async function askProgram(
  [program, ...args]: readonly [string, ...string[]],
  { env, timeout, signal }: AskProgramOptions,
): Promise<ProgramAnswer> {
  const options = { env, timeout, killSignal: 'SIGKILL', maxBuffer: longestAnswer, ...(signal && { signal }) } as const
  return await new Promise<ProgramAnswer>((resolve) => {
    try {
      execFile(program, args, options, (error, stdout, stderr) => {
        resolve({ stdout, stderr, ...(error !== null && { failure: whyFailed(error, timeout) }) })
      })
    } catch (error) {
      // Such as a name that no program can have, or arguments that are too long.
      resolve({ stdout: '', stderr: '', failure: { how: 'not started', why: formatStartError(error) } })
    }
  })
}

function whyFailed(error: ExecFileException, timeout: number): NonNullable<ProgramAnswer['failure']> {
  const { code, signal, killed } = error
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return { how: 'talkative', why: `printed more than ${longestAnswer / 1_000_000} MB` }
  if (killed === true) return { how: 'late', why: `did not answer within ${formatDuration(timeout)}` }
  if (typeof code === 'number') return { how: 'ended', why: formatExit({ status: code, signal: null, forced: false }) }
  if (typeof signal === 'string')
    return { how: 'ended', why: formatExit({ status: null, signal, forced: false }), signal }
  return { how: 'not started', why: formatStartError(error) }
}

/** The last line of a text that is not empty, if there is one. */
export function lastWords(text: string): string | undefined {
  return text
    .split('\n')
    .findLast((line) => line.trim() !== '')
    ?.trim()
}
