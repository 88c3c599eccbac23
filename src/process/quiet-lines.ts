/** Before each line of Dask's log that is not for the console: see records.py. */
const mark = '\u001e'

/** Whether a line is for the log file alone. */
export function isQuiet(line: string): boolean {
  return line.startsWith(mark)
}

/** What is put before the next piece of a line that comes in pieces. */
export function markOf(line: string): string {
  return isQuiet(line) ? mark : ''
}

/** The line as Dask has it. */
export function withoutMark(line: string): string {
  return line.slice(markOf(line).length)
}
