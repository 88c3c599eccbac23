import { RunnerError } from '../errors.ts'
import { Child } from '../process/child.ts'
import { type Exit, formatExit } from '../process/exit.ts'
import type { Reaper } from '../process/reaper.ts'
import { deferred } from '../util/deferred.ts'
import { formatDuration } from '../util/duration.ts'
import { ignoreLostOutput } from '../util/lost-output.ts'
import { writeTo } from '../util/slow-output.ts'
import { forOwnProcess } from '../util/own-process.ts'
import { printable } from '../util/printable.ts'
import { deadline, settledWithin } from '../util/wait.ts'
import type { OrderDirectory } from './order-directory.ts'
import { remoteCommand } from './line.ts'
import { beginWord, type PassedOn, type SpreadOrders } from './orders.ts'
import { isThisHost, type Place } from './places.ts'
import type { Starter } from './starters.ts'

/** How long a word may take to be left before the run goes on without it. In milliseconds. */
const wordMs = 3_000

/** What starts a rank. */
export interface StartOptions {
  readonly starter: Starter
  readonly orders: SpreadOrders
  readonly env: Readonly<NodeJS.ProcessEnv>
  readonly reaper: Reaper
  /** Where orders and words are left if the remote start hands on no input. */
  readonly directory: OrderDirectory | undefined
}

/** A rank on its host, by the process here that has started it: on this host the rank itself, else the remote start. */
export class StartedRank {
  readonly place: Place
  readonly #starter: Starter | undefined
  readonly #directory: OrderDirectory | undefined
  readonly #child: Child
  /** Lines that are not shown yet, as they were written: where it does not get ready, they are part of the reason. */
  #held: (readonly ['stdout' | 'stderr', string])[] = []
  #isReady = false
  readonly #ready: Promise<unknown>
  readonly #exited: Promise<Exit>

  /** Starts it. */
  constructor(place: Place, { starter, orders, env, reaper, directory }: StartOptions) {
    this.place = place
    const { host } = place
    const isHere = isThisHost(host.name)
    this.#starter = isHere ? undefined : starter
    this.#directory = isHere ? undefined : directory
    const ready = deferred<undefined>()
    this.#ready = ready.promise
    const becomeReady = (): void => {
      this.#isReady = true
      ready.resolve(undefined)
      void this.#show()
    }
    this.#child = new Child({
      command: isHere ? remoteCommand() : starter.command(host, remoteCommand(this.#placeInDirectory)),
      env: isHere ? forOwnProcess(env) : env,
      reaper,
      endsWithUs: true,
      stdin: this.#directory === undefined ? 'pipe' : 'ignore',
      // A terminal, or the system, may signal the remote start as well, which would lose its rank by that.
      shielded: !isHere,
      isExact: true,
      output: (lines, stream) => {
        for (const line of lines) {
          const isWord = !this.#isReady && stream === 'stdout' && line.trimEnd().endsWith(orders.word)
          this.#held.push([stream, isWord ? line.slice(0, line.lastIndexOf(orders.word)) : line])
          if (isWord) becomeReady()
        }
        return this.#isReady ? this.#show() : undefined
      },
    })
    this.#child.stdin?.write(`${JSON.stringify(orders)}\n`)
    const ended = new AbortController()
    this.#exited = this.#child.exited.then(async (exit) => {
      ended.abort()
      return this.#directory === undefined ? exit : await this.#lastWord(exit, this.#directory)
    })
    this.#directory?.ready(place.rank, ended.signal).then(becomeReady, () => undefined)
  }

  /** How it has ended, as far as its process here tells, or it has left word of it. */
  get exited(): Promise<Exit> {
    return this.#exited
  }

  /** Whether it has said that it is ready. */
  get isReady(): boolean {
    return this.#isReady
  }

  /**
   * Resolves when it is ready to take part in the run.
   *
   * @throws RunnerError ERR_UNAVAILABLE where it cannot be started, ERR_TIMED_OUT after `ms` milliseconds.
   */
  async ready(ms: number): Promise<void> {
    const ended = this.exited.then((exit) => {
      if (this.#isReady) return
      throw this.#cannotStart(`it ${formatExit(exit)} before the rank was ready`, 'ERR_UNAVAILABLE')
    })
    const late = (): Error => this.#cannotStart(`it is not ready after ${formatDuration(ms)}`, 'ERR_TIMED_OUT')
    await deadline(Promise.race([this.#ready, ended]), ms, late)
  }

  /** All are ready: has the rank begin. */
  begin(): void {
    this.#send(beginWord)
  }

  /** Has the rank get a signal. */
  signal(signal: PassedOn): void {
    this.#send(signal)
  }

  /** Has the rank end, as where its launcher has gone. */
  release(): void {
    if (this.#directory === undefined) this.#child.stdin?.end()
    else void this.#directory.send(this.place.rank, 'SIGTERM')
  }

  /** How the rank has ended whose remote start hands on no status: by its own word. Without one it is lost. */
  async #lastWord(exit: Exit, directory: OrderDirectory): Promise<Exit> {
    // A remote start that was killed may have left the rank alive, and nothing shows what that does.
    const status = exit.signal === null ? await directory.statusOf(this.place.rank) : undefined
    if (status !== undefined) return { status, signal: null, forced: exit.forced }
    await settledWithin(directory.send(this.place.rank, 'SIGTERM'), wordMs)
    return { ...exit, forced: true, why: exit.why ?? 'it has left no word of its end' }
  }

  /** Ends its process here. */
  kill(why?: string): void {
    this.#child.kill(why)
  }

  /** What the rank is told of where its orders are. */
  get #placeInDirectory(): readonly string[] {
    return this.#directory === undefined ? [] : [this.#directory.path, String(this.place.rank)]
  }

  #send(word: string): void {
    if (this.#directory === undefined) this.#child.stdin?.write(`${word}\n`)
    else void this.#directory.send(this.place.rank, word)
  }

  /** Shows what is held. What it gives resolves when more is to be shown. */
  #show(): Promise<void> | undefined {
    ignoreLostOutput()
    const held = this.#held.splice(0)
    const slow = (['stdout', 'stderr'] as const).map((name) => {
      const text = held.map(([stream, line]) => (stream === name ? line : '')).join('')
      return text === '' ? undefined : writeTo(process[name], Buffer.from(text, 'latin1'))
    })
    return slow.find((each) => each !== undefined)
  }

  #cannotStart(what: string, code: 'ERR_UNAVAILABLE' | 'ERR_TIMED_OUT'): RunnerError {
    const { rank, host } = this.place
    const said = this.#held.splice(-3).map(([, line]) => printable(Buffer.from(line, 'latin1').toString().trim()))
    void this.#show()
    const why = [what, ...said].join(': ')
    const by = this.#starter === undefined ? '' : ` by ${this.#starter.name}`
    const remedy = this.#starter === undefined ? '' : `; see whether "${this.#starter.trial(host)}" works in this job`
    return new RunnerError(`Cannot start rank ${rank} on "${host.name}"${by}: ${why}${remedy}`, { code })
  }
}
