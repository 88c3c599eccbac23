import { ignoreLostOutput } from './util/lost-output.ts'
import { printable } from './util/printable.ts'

/** How messages for people are written. */
export type LogFormat = 'text' | 'json'

/** Where the runner's own messages go. */
export interface Logger {
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
  /** Takes one line without its newline. @default a line on standard error */
  readonly write?: (line: string) => void
}

/** A logger that writes one line a message on standard error. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { prefix = '', format = 'text', write = writeLine } = options
  const say = (level: 'info' | 'warn' | 'error', message: string): void => {
    const line =
      format === 'json'
        ? JSON.stringify({ time: new Date().toISOString(), level, who: prefix, message })
        : [prefix, level === 'info' ? '' : `${level}:`, message].filter((part) => part !== '').join(' ')
    // What others have written is in it: names, records, the last words of a program.
    write(printable(line))
  }
  return {
    info: (message) => {
      say('info', message)
    },
    warn: (message) => {
      say('warn', message)
    },
    error: (message) => {
      say('error', message)
    },
  }
}

function writeLine(line: string): void {
  ignoreLostOutput()
  // What progress may stand in the line of a terminal is taken back first.
  process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[K' : ''}${line}\n`)
}
