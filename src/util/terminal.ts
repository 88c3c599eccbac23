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
