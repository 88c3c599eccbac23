/** Lines for one of the log files of a process of the run, on their way to the process that writes them. */
export interface LogFrame {
  /** The number of the file. */
  readonly file: number
  /** Whole lines. */
  readonly lines: Buffer
}

const lineEnd = Buffer.from('\n')

/** `2 17\n` before 17 bytes of lines for file 2: so nothing has to be looked for in them. */
export function formatFrame({ file, lines }: LogFrame): Buffer {
  return Buffer.concat([Buffer.from(`${file} ${lines.length}\n`), lines])
}

/** The frame at the beginning of what has come, and what has come after it. Undefined where it has not come whole. */
export function readFrame(bytes: Buffer): { readonly frame: LogFrame; readonly rest: Buffer } | undefined {
  const end = bytes.indexOf(lineEnd)
  if (end === -1) return undefined
  const head = bytes.toString('latin1', 0, end)
  const [, file, size] = /^(\d+) (\d+)$/.exec(head) ?? []
  if (file === undefined) throw new RangeError(`no frame begins with ${JSON.stringify(head)}`)
  const [begin, length] = [end + 1, Number(size)]
  if (bytes.length < begin + length) return undefined
  return {
    frame: { file: Number(file), lines: bytes.subarray(begin, begin + length) },
    rest: bytes.subarray(begin + length),
  }
}
