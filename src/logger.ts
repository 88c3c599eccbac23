import { beginLine } from './util/terminal.ts'
import { ignoreLostOutput } from './util/lost-output.ts'
import { printable } from './util/printable.ts'

/** How messages for people are written. */
export type LogFormat = 'text' | 'json'

/** Where the runner's own messages go. */
export interface Logger {
  /** Whether this process tells people how the run goes. Those that do not tell only what goes wrong. */
  readonly speaks: boolean
  /** What only those want to know who look for a fault, such as who has joined whom. */
  detail(message: string): void
  /** How the run goes. */
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** Who writes, and how. */
export interface LoggerOptions {
  /** Put before each message, for example `[2 worker]`. @default none */
  readonly prefix?: string
  /** @default 'text' */
  readonly format?: LogFormat
  /** Whether this process tells people how the run goes. @default true */
  readonly speaks?: boolean
  /** Whether everything is told, by every process. @default false */
  readonly verbose?: boolean
  /** Takes one line without its newline. @default a line on standard error */
  readonly write?: (line: string) => void
  /** Takes each line, also those that are not told. @default nobody */
  readonly keep?: (line: string) => void
}

/** A logger that writes one line a message on standard error. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { prefix = '', format = 'text', speaks = true, verbose = false, write = writeLine, keep } = options
  const log = (level: 'detail' | 'info' | 'warn' | 'error', message: string): void => {
    const isTold = verbose || level === 'warn' || level === 'error' || (level === 'info' && speaks)
    if (!isTold && keep === undefined) return
    const grave = level === 'warn' || level === 'error' ? `${level}:` : ''
    const line =
      format === 'json'
        ? JSON.stringify({ time: new Date().toISOString(), level, who: prefix, message })
        : [prefix, grave, message].filter((part) => part !== '').join(' ')
    // What others have written is in it: names, records, the last words of a program.
    const text = printable(line)
    keep?.(text)
    if (isTold) write(text)
  }
  return {
    speaks: speaks || verbose,
    detail: (message) => {
      log('detail', message)
    },
    info: (message) => {
      log('info', message)
    },
    warn: (message) => {
      log('warn', message)
    },
    error: (message) => {
      log('error', message)
    },
  }
}

function writeLine(line: string): void {
  ignoreLostOutput()
  process.stderr.write(`${beginLine()}${line}\n`)
}
