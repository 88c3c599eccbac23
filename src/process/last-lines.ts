import { isQuiet } from './quiet-lines.ts'

/** A record of Dask's log, in the form that Dask has by default: a time, a name, a level, a message. */
const record = /^[\d-]+ [\d:,.]+ - \S+ - (DEBUG|INFO|WARNING|ERROR|CRITICAL) - /
const traceback = /^\s*Traceback \(most recent call last\)/

/** Of a longer line only the beginning is kept: all of them go into one message between ranks. In characters. */
const longestLine = 4_096

interface Line {
  readonly text: string
  /** A warning, an error, or a part of a traceback. */
  readonly isAlarm: boolean
}

/**
 * The last lines of a component that tell why it has ended, oldest first. Mere information, such as each connection, is left
 * out. If what a program has printed would have driven out every warning, error and traceback, half of the lines are those.
 */
export class LastLines {
  readonly #limit: number
  readonly #last: Line[] = []
  /** Alarms that are not among the last lines any more. */
  readonly #before: Line[] = []
  #isInTraceback = false
  #wasAlarm = false

  constructor(limit: number) {
    this.#limit = limit
  }

  add(lines: readonly string[]): void {
    for (const line of lines) this.#add(line)
  }

  #add(text: string): void {
    const level = record.exec(text)?.[1]
    if (isQuiet(text) || level === 'DEBUG' || level === 'INFO') {
      this.#isInTraceback = false
      this.#wasAlarm = false
      return
    }
    const kept = text.length > longestLine ? `${text.slice(0, longestLine)}…` : text
    this.#last.push({ text: kept, isAlarm: this.#isAlarm(text, level) })
    const driven = this.#last.length > this.#limit ? this.#last.shift() : undefined
    if (driven?.isAlarm === true) this.#before.push(driven)
    if (this.#before.length > this.#limit / 2) this.#before.shift()
  }

  get lines(): readonly string[] {
    const half = Math.ceil(this.#limit / 2)
    const chosen = this.#last.some(({ isAlarm }) => isAlarm)
      ? this.#last
      : [...this.#before, ...this.#last.slice(this.#before.length > 0 ? -half : 0)]
    return chosen.map(({ text }) => text)
  }

  #isAlarm(text: string, level: string | undefined): boolean {
    const isIndented = /^\s/.test(text)
    const isAlarm = level !== undefined || traceback.test(text) || this.#isInTraceback || (this.#wasAlarm && isIndented)
    // Its last line is the exception, which is the first that does not stand behind a blank.
    this.#isInTraceback = traceback.test(text) || (this.#isInTraceback && isIndented)
    this.#wasAlarm = isAlarm
    return isAlarm
  }
}
