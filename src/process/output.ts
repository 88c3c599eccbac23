import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { ignoreLostOutput } from '../util/lost-output.ts'
import { printableOutput } from '../util/printable.ts'
import { writeTo } from '../util/slow-output.ts'
import { beginLine } from '../util/terminal.ts'
import { isQuiet, markOf, withoutMark } from './quiet-lines.ts'

/** A longer line is passed on in pieces, so that memory stays bounded. In characters. */
const longestLine = 65_536

/** Takes lines of output that have come together. What it gives resolves when it takes more; undefined: at once. */
export type OnLines = (lines: readonly string[], stream: 'stdout' | 'stderr') => Promise<void> | undefined

/** Calls `onLine` with each line of `stream`, without its end, and with an unfinished one at the end. */
export function forEachLine(stream: Readable, onLine: (line: string) => void): void {
  forLines(stream, (lines) => {
    for (const line of lines) onLine(line)
    return undefined
  })
}

/**
 * The same for all lines that have come together: a program may print much. No more is read before `onLines` takes more.
 *
 * @param isExact lines keep their ends, and have a character (latin1) for each byte: together they are what was written
 */
export function forLines(
  stream: Readable,
  onLines: (lines: readonly string[]) => Promise<void> | undefined,
  isExact = false,
): void {
  const decoder = new StringDecoder(isExact ? 'latin1' : 'utf8')
  const form = isExact ? withEnd : withoutReturn
  let rest = ''
  const give = (lines: readonly string[]): void => {
    const taken = onLines(lines)
    if (taken === undefined) return
    stream.pause()
    void taken.then(() => stream.resume())
  }
  stream.on('data', (chunk: Buffer) => {
    const ended = (rest + decoder.write(chunk)).split('\n')
    rest = ended.pop() ?? ''
    const lines = ended.map(form)
    if (rest.length > longestLine) {
      lines.push(rest)
      rest = markOf(rest)
    }
    if (lines.length > 0) give(lines)
  })
  stream.on('error', () => undefined)
  stream.once('close', () => {
    rest += decoder.end()
    if (rest !== '') void onLines([rest])
  })
}

const withEnd = (line: string): string => `${line}\n`
const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line)

/**
 * Passes on the lines of a component, with who says so before each: colours and tabs as they are, and whatever else would
 * move the cursor of a terminal as text. What is for the log file alone does not reach the console. The output of the client
 * program is its own, and does not come this way.
 */
export function passOn(who: string, keep?: (lines: readonly string[]) => void): OnLines {
  return (lines, stream) => {
    const texts = printableOutput(lines.map(withoutMark)).map((line) => `${who} ${line}`)
    keep?.(texts)
    const told = lines.some(isQuiet) ? texts.filter((_, i) => !isQuiet(lines[i] ?? '')) : texts
    if (told.length === 0) return undefined
    ignoreLostOutput()
    const console = process[stream]
    return writeTo(console, `${beginLine(console)}${told.join('\n')}\n`)
  }
}
