import { formatDuration } from './duration.ts'
import { monotonic } from './monotonic.ts'
import type { Logger } from '../logger.ts'
import { mayDraw } from './terminal.ts'

/** What a {@link ProgressLine} needs of a stream such as `process.stderr`. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Where progress is shown. */
export interface ProgressOptions {
  /** @default process.stderr */
  readonly stream?: ProgressStream
  /** Takes a line where the stream is no terminal. @default writes it to the stream */
  readonly log?: (line: string) => void
  /** Put before each text, such as `dask-hpc-runner: `. @default none */
  readonly prefix?: string
}

/** Between two lines in a log, and two drawings on a terminal. In milliseconds. */
const logInterval = 10_000
const drawInterval = 1_000
/** A wait that is shorter than this is not timed on a terminal. In milliseconds. */
const notable = 2_000

/**
 * Says what is being waited for, and for how long already: on a terminal in one line that is
 * rewritten, in a log in a line every 10 s. It does not keep the process alive.
 */
export class ProgressLine implements Disposable {
  readonly #stream: ProgressStream
  readonly #log: (line: string) => void
  readonly #prefix: string
  #text = ''
  #part: number | undefined
  #began = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: ProgressOptions = {}) {
    const { stream = process.stderr, prefix = '' } = options
    this.#stream = stream
    this.#prefix = prefix
    this.#log =
      options.log ??
      ((line) => {
        stream.write(`${line}\n`)
      })
  }

  /** Shows `text` from now on; `part`: how much of what is waited for is there, from 0 to 1. */
  say(text: string, part?: number): void {
    const changed = text !== this.#text
    this.#text = text
    this.#part = part
    if (this.#timer === undefined) {
      this.#began = monotonic()
      const show = (): void => {
        if (this.#isTerminal) this.#draw()
        else this.#log(this.#line)
      }
      this.#timer = setInterval(show, this.#isTerminal ? drawInterval : logInterval)
      this.#timer.unref()
    } else if (!changed) return
    if (this.#isTerminal) this.#draw()
  }

  /** The wait is over: clears the line of a terminal. May be called twice. */
  end(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#text = ''
    if (this.#isTerminal) this.#stream.write('\r\u{1b}[K')
  }

  [Symbol.dispose](): void {
    this.end()
  }

  get #isTerminal(): boolean {
    return mayDraw(this.#stream)
  }

  get #line(): string {
    const elapsed = monotonic() - this.#began
    const time = elapsed < notable ? '' : ` (${formatDuration(Math.floor(elapsed / 1000) * 1000)})`
    return `${this.#prefix}${this.#text}${time}`
  }

  #draw(): void {
    // A line that breaks could not be taken back.
    const { columns = 0 } = this.#stream
    const room = (columns > 0 ? columns : 80) - 1
    const whole = this.#part === undefined ? this.#line : `${drawBar(this.#part)} ${this.#line}`
    const line = whole.length > room ? `${whole.slice(0, room - 1)}…` : whole
    this.#stream.write(`\r${line}\u{1b}[K`)
  }
}

const barLength = 20

/** `[#####---------------]` */
function drawBar(part: number): string {
  const full = Math.round(Math.min(1, Math.max(0, part)) * barLength)
  return `[${'#'.repeat(full)}${'-'.repeat(barLength - full)}]`
}

const prefix = '[dask-hpc-runner] '

/** In place of a terminal. */
const silent: ProgressStream = { write: () => true }

/** A wait that is shorter is not worth a word. In milliseconds. */
const progressDelayMs = 2_000

/**
 * Says in words what is being waited for, again and again, where that takes longer than a moment; until disposed of. A
 * process that does not tell people how the run goes keeps it to itself.
 *
 * @param part how much of it is there, from 0 to 1: a terminal shows a bar
 */
export function showProgress(
  { logger }: { readonly logger: Logger },
  text: () => string,
  part?: () => number,
): Disposable {
  const progress = new ProgressLine({
    prefix,
    ...(logger.speaks ? {} : { stream: silent }),
    log: (line) => {
      logger.info(line.replace(prefix, ''))
    },
  })
  const timer = setInterval(() => {
    progress.say(text(), part?.())
  }, progressDelayMs)
  timer.unref()
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer)
      progress.end()
    },
  }
}
