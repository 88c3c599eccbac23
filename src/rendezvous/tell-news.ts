import { monotonic } from '../util/monotonic.ts'
import { sleepUnref } from '../util/wait.ts'
import { type NewsPort, readNewsPort, seal } from './news-port.ts'
import { sendNews } from './news-wire.ts'

/** Between two lots of hosts that are told. In milliseconds. */
const lotInterval = 100
/** A process that was told connects to process 0, which takes in so many a second: 0.28 ms of CPU time for each. */
const processesPerSecond = 3_000
/** Who could not be told is tried again after so long, then after twice that, and so on. In milliseconds. */
const [firstRetry, lastRetry] = [1_000, 60_000]

/** The network and the clock as seen by who tells; a test puts its own in their place. */
export interface TellSeams {
  readonly send: (to: { host: string; port: number }, sealed: Buffer, signal: AbortSignal) => Promise<boolean>
  readonly sleep: (ms: number) => Promise<void>
  /** Milliseconds from any fixed moment. */
  readonly now: () => number
}

const realSeams: TellSeams = { send: sendNews, sleep: sleepUnref, now: monotonic }

/**
 * Tells the processes that listen what process 0 has published, in lots, so that those who then come
 * do not come all at once. Nobody waits for it, and nothing is lost where it fails: they look, too.
 */
export class NewsTeller implements Disposable {
  readonly #lot: number
  readonly #seams: TellSeams
  readonly #over = new AbortController()
  /** Until when each port that was seen is left alone, by name; for ever where it is being told, or was. */
  readonly #leftAlone = new Map<string, number>()
  /** Milliseconds until the next try, for those that could not be told. */
  readonly #pauses = new Map<string, number>()
  readonly #queue: Untold[] = []
  #isBusy = false
  #text: string | undefined

  /** @param perHost how many processes each of those that are told looks for */
  constructor(perHost: number, seams: TellSeams = realSeams) {
    this.#lot = Math.max(1, Math.round((processesPerSecond * lotInterval) / 1000 / perHost))
    this.#seams = seams
  }

  /** From now on `text` is told. */
  say(text: string): void {
    this.#text = text
  }

  /** Tells those whose ports are among the `names` in the run's directory, unless they were. Returns at once. */
  tell(names: readonly string[]): void {
    if (this.#text === undefined) return
    const now = this.#seams.now()
    for (const name of names) {
      if ((this.#leftAlone.get(name) ?? 0) > now) continue
      const port = readNewsPort(name)
      if (port === undefined) continue
      this.#leftAlone.set(name, Infinity)
      this.#queue.push({ name, port })
    }
    if (!this.#isBusy) void this.#work()
  }

  /** Ends it: what is on its way is dropped. */
  [Symbol.dispose](): void {
    this.#over.abort()
  }

  async #work(): Promise<void> {
    this.#isBusy = true
    while (this.#queue.length > 0 && !this.#over.signal.aborted) {
      for (const untold of this.#queue.splice(0, this.#lot)) void this.#tellOne(untold)
      await this.#seams.sleep(lotInterval)
    }
    this.#isBusy = false
  }

  async #tellOne({ name, port: { addresses, port, key } }: Untold): Promise<void> {
    const sealed = seal(this.#text ?? '', key)
    // At all of its addresses at once, because one that leads nowhere takes long to find out.
    const sent = addresses.map(async (host) => this.#seams.send({ host, port }, sealed, this.#over.signal))
    if ((await Promise.all(sent)).includes(true)) return
    const pause = this.#pauses.get(name) ?? firstRetry
    this.#pauses.set(name, Math.min(lastRetry, 2 * pause))
    this.#leftAlone.set(name, this.#seams.now() + pause)
  }
}

/** Somebody who listens and was not told yet. */
interface Untold {
  readonly name: string
  readonly port: NewsPort
}
