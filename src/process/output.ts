import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { ignoreLostOutput } from '../util/lost-output.ts'
import { printableOutput } from '../util/printable.ts'
import { beginLine } from '../util/terminal.ts'
import { isQuiet, withoutMark } from './quiet-lines.ts'

/** A longer line is passed on in pieces, so that memory stays bounded. In characters. */
const longestLine = 65_536

/** Calls `onLine` with each line of `stream`, without its end, and with an unfinished one at the end. */
export function forEachLine(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
    if (rest.length > longestLine) {
      onLine(rest)
      rest = ''
    }
  })
  stream.on('error', () => undefined)
  stream.once('close', () => {
    rest += decoder.end()
    if (rest !== '') onLine(rest)
  })
}

/**
 * Passes on the lines of a component, with who says so before each: colours and tabs as they are, and whatever else would
 * move the cursor of a terminal as text. What is for the log file alone does not reach the console. The output of the client
 * program is its own, and does not come this way.
 */
export function passOn(
  who: string,
  keep?: (line: string) => void,
): (line: string, stream?: 'stdout' | 'stderr') => void {
  return (line, stream = 'stderr') => {
    keep?.(`${who} ${withoutMark(line)}`)
    if (isQuiet(line)) return
    ignoreLostOutput()
    process[stream].write(`${beginLine(process[stream])}${who} ${printableOutput(line)}\n`)
  }
}
