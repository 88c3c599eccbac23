import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { ignoreLostOutput } from '../util/lost-output.ts'
import { printableOutput } from '../util/printable.ts'

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

/** The last lines of something, oldest first. */
export class Tail {
  readonly #lines: string[] = []
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  add(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > this.#limit) this.#lines.shift()
  }

  get lines(): readonly string[] {
    return [...this.#lines]
  }
}

/**
 * Passes on the lines of a component, with who says so before each: colours and tabs as they are, and whatever else would
 * move the cursor of a terminal as text. The output of the client program is its own, and does not come this way.
 */
export function passOn(who: string): (line: string, stream?: 'stdout' | 'stderr') => void {
  return (line, stream = 'stderr') => {
    ignoreLostOutput()
    process[stream].write(`${who} ${printableOutput(line)}\n`)
  }
}
