import { RunnerError } from '../errors.ts'
import { Child } from '../process/child.ts'
import { type Exit, formatExit } from '../process/exit.ts'
import type { Reaper } from '../process/reaper.ts'
import { formatDuration } from '../util/duration.ts'
import { ignoreLostOutput } from '../util/lost-output.ts'
import { writeTo } from '../util/slow-output.ts'
import { forOwnProcess } from '../util/own-process.ts'
import { printable } from '../util/printable.ts'
import { deadline } from '../util/wait.ts'
import { beginWord, type SpreadOrders } from './orders.ts'
import { isThisHost, type Place } from './places.ts'
import { remoteCommand } from './remote-command.ts'
import type { PassedOn } from './signals.ts'
import type { Starter } from './starters.ts'

/** What starts a rank. */
export interface StartOptions {
  readonly starter: Starter
  readonly orders: SpreadOrders
  readonly env: Readonly<NodeJS.ProcessEnv>
  readonly reaper: Reaper
}

/** A rank on its host, by the process here that has started it: on this host the rank itself, else the remote start. */
export class StartedRank {
  readonly place: Place
  readonly #starter: Starter | undefined
  readonly #child: Child
  /** Lines that are not shown yet: where it does not get ready, they are part of the reason. */
  #held: (readonly ['stdout' | 'stderr', string])[] = []
  #isReady = false
  readonly #ready: Promise<void>

  /** Starts it. */
  constructor(place: Place, { starter, orders, env, reaper }: StartOptions) {
    this.place = place
    const { host } = place
    const isHere = isThisHost(host.name)
    this.#starter = isHere ? undefined : starter
    let ready: () => void
    this.#ready = new Promise((resolve) => (ready = resolve))
    this.#child = new Child({
      command: isHere ? remoteCommand() : starter.command(host, remoteCommand()),
      env: isHere ? forOwnProcess(env) : env,
      reaper,
      endsWithUs: true,
      stdin: 'pipe',
      // A terminal, or the system, may signal the remote start as well, which would lose its rank by that.
      shielded: !isHere,
      output: (lines, stream) => {
        for (const line of lines) {
          const isWord = !this.#isReady && stream === 'stdout' && line.endsWith(orders.word)
          if (isWord) {
            this.#isReady = true
            ready()
          }
          const text = isWord ? line.slice(0, -orders.word.length) : line
          if (!isWord || text !== '') this.#held.push([stream, text])
        }
        return this.#isReady ? this.#show() : undefined
      },
    })
    this.#child.stdin?.write(`${JSON.stringify(orders)}\n`)
  }

  /** How its process here has ended. */
  get exited(): Promise<Exit> {
    return this.#child.exited
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
    this.#child.stdin?.write(`${beginWord}\n`)
  }

  /** Has the rank get a signal. */
  signal(signal: PassedOn): void {
    this.#child.stdin?.write(`${signal}\n`)
  }

  /** Has the rank end, as where its launcher has gone. */
  release(): void {
    this.#child.stdin?.end()
  }

  /** Ends its process here. */
  kill(why?: string): void {
    this.#child.kill(why)
  }

  /** Shows what is held. What it gives resolves when more is to be shown. */
  #show(): Promise<void> | undefined {
    ignoreLostOutput()
    const held = this.#held.splice(0)
    const slow = (['stdout', 'stderr'] as const).map((name) => {
      const text = held.map(([stream, line]) => (stream === name ? `${line}\n` : '')).join('')
      return text === '' ? undefined : writeTo(process[name], text)
    })
    return slow.find((each) => each !== undefined)
  }

  #cannotStart(what: string, code: 'ERR_UNAVAILABLE' | 'ERR_TIMED_OUT'): RunnerError {
    const { rank, host } = this.place
    const said = this.#held.splice(-3).map(([, line]) => printable(line.trim()))
    void this.#show()
    const why = [what, ...said].join(': ')
    const by = this.#starter === undefined ? '' : ` by ${this.#starter.name}`
    const remedy = this.#starter === undefined ? '' : `; see whether "${this.#starter.trial(host)}" works in this job`
    return new RunnerError(`Cannot start rank ${rank} on "${host.name}"${by}: ${why}${remedy}`, { code })
  }
}
