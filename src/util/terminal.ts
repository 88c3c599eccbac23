import { closeSync, constants, openSync } from 'node:fs'

/** What is asked of a stream such as `process.stderr`. */
interface Terminal {
  readonly isTTY?: boolean
}

/** Whether lines of `stream` may be drawn anew: it is a terminal, and nobody has asked for plain text. */
export function mayDraw(stream: Terminal, env: Readonly<NodeJS.ProcessEnv> = process.env): boolean {
  // By its convention any text counts, but not an empty one: https://no-color.org
  return stream.isTTY === true && (env.NO_COLOR ?? '') === ''
}

/** Goes before a line on `stream`: takes back what progress may stand there. */
export function beginLine(stream: Terminal = process.stderr): string {
  return mayDraw(stream) ? '\r\u{1b}[K' : ''
}

/** Whether a terminal has this process in its session, wherever its streams go: what is typed there may be a signal to it. */
export function isAtTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDONLY | constants.O_NONBLOCK))
    return true
  } catch {
    return false
  }
}
