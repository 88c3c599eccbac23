import type { ClientProgram } from '../components/client-program.ts'
import type { Reaper } from '../process/reaper.ts'
import { Signals, type SignalSource } from '../process/signals.ts'
import { deferred } from '../util/deferred.ts'
import { type EndingSignal, takeHeldSignal } from '../util/early-signals.ts'
import { monotonic } from '../util/monotonic.ts'
import { settledWithin } from '../util/wait.ts'
import type { Context } from '../identity/run-context.ts'

/** What a process hosts of that which a signal is to end first. */
export type ClientPart =
  | { readonly kind: 'program'; readonly program: ClientProgram }
  /** The caller's code: `end` tells it to end, and ends it where it does not. */
  | { readonly kind: 'body'; readonly end: (signal: EndingSignal) => Promise<void> }
  /** The program has not started yet. */
  | { readonly kind: 'to come' }
  /** The run has no client, and this process decides on its end. */
  | { readonly kind: 'stand-in' }
  | { readonly kind: 'none' }

/** What the runner lends to {@link Interruption}. */
export interface InterruptionOptions extends Pick<Context, 'options'> {
  readonly logger: () => Context['logger']
  readonly reaper: Reaper
  /** How long the client has to end, in milliseconds. */
  readonly grace: number
  readonly phase: () => 'starting' | 'running' | 'ending' | 'ended'
  readonly clientPart: () => ClientPart
  /** Ends the waits of the start. */
  readonly endStart: (signal: EndingSignal) => void
  /** Runs the user's command for the end. */
  readonly startEndingCommand: (command: string) => ClientProgram
  /** Tells process 0 of the signal. */
  readonly passOn: (signal: EndingSignal, again: boolean) => void
  /** Tells process 0 that the client has ended by the signal. */
  readonly tellEnd: (signal: EndingSignal) => void
  /** Kills what this process hosts. */
  readonly kill: () => void
  /** Where signals come from. @default this process */
  readonly source?: SignalSource
}

/** How this process answers the signals that end a run: the client goes first, and a second one ends all at once. */
export class Interruption implements Disposable {
  readonly #options: InterruptionOptions
  readonly #happened = deferred<undefined>()
  #signals: Signals | undefined
  #signal: EndingSignal | undefined
  /** The first one, and when it came. */
  #first: { readonly signal: EndingSignal; readonly at: number } | undefined
  #saved: Promise<void> = Promise.resolve()

  constructor(options: InterruptionOptions) {
    this.#options = options
  }

  /** Takes over the signals of this process, until disposed of. */
  listen(): void {
    const { options, reaper, source } = this.#options
    const signals = new Signals(this.#handlers, source)
    this.#signals = signals
    reaper.onSignal((signal) => {
      signals.sawInTree(signal)
    })
    const held = takeHeldSignal()
    if (held !== undefined) this.interrupt(held)
    const onAbort = (): void => {
      this.interrupt('SIGTERM')
    }
    if (options.signal?.aborted === true) onAbort()
    options.signal?.addEventListener('abort', onAbort, { once: true })
  }

  /** The signal that ends the run, where one does. */
  get signal(): EndingSignal | undefined {
    return this.#signal
  }

  /** Resolves when a signal has come, also after the run has begun to end. */
  get happened(): Promise<unknown> {
    return this.#happened.promise
  }

  /** Resolves when the user's command for the end has ended, where it runs. */
  get saved(): Promise<void> {
    return this.#saved
  }

  /** Does what a signal to this process would do, unless the run is ending already. */
  interrupt(signal: EndingSignal): void {
    if (this.#signal !== undefined || this.#isEnding) return
    this.#signals?.ending(signal, this.#handlers)
  }

  [Symbol.dispose](): void {
    this.#signals?.[Symbol.dispose]()
  }

  readonly #handlers = {
    onEnding: (signal: EndingSignal, again: boolean): void => {
      void this.#onEnding(signal, again)
    },
    onUser: (signal: NodeJS.Signals): void => {
      void this.#onUser(signal)
    },
  }

  get #isEnding(): boolean {
    const phase = this.#options.phase()
    return phase === 'ending' || phase === 'ended'
  }

  async #onEnding(signal: EndingSignal, again: boolean): Promise<void> {
    const { logger, grace, phase, clientPart, endStart, passOn, tellEnd, kill } = this.#options
    this.#first ??= { signal, at: monotonic() }
    if (again) {
      if (await this.#isRepeated(signal)) {
        logger().info(`${signal} came to all processes again: what ends keeps its time`)
        return
      }
      logger().warn(`${signal} again: ending everything at once`)
      kill()
      passOn(signal, again)
      return
    }
    this.#happened.resolve(undefined)
    if (this.#isEnding) return
    this.#signal = signal
    endStart(signal)
    if (phase() === 'starting') {
      logger().info(`${signal}: the run ends before it has begun`)
      return
    }
    const part = clientPart()
    if (part.kind !== 'none') this.#saved = this.#runEndingCommand()
    switch (part.kind) {
      case 'program': {
        const { program } = part
        logger().info(`${signal}: the client program has ${grace / 1000} s to end`)
        if (!(await this.#signals?.reachedAll(signal))) program.signal(signal)
        if (await settledWithin(program.exited, grace)) return
        logger().warn(`the client program has not ended ${grace / 1000} s after ${signal}: it is killed`)
        program.kill()
        break
      }
      case 'body':
        await part.end(signal)
        break
      case 'stand-in':
        await this.#saved
        tellEnd(signal)
        break
      case 'to come':
      case 'none':
        passOn(signal, again)
    }
  }

  /** Slurm says TERM to a job that is preempted once more when its GraceTime is over; that is nobody's impatience. */
  async #isRepeated(signal: EndingSignal): Promise<boolean> {
    const { options } = this.#options
    if (signal !== 'SIGTERM' || this.#first?.signal !== signal) return false
    return monotonic() - this.#first.at < options.grace && (await this.#signals?.isManagers(signal)) === true
  }

  /** The user's command for the end, where the client is; the client's end waits for it. */
  async #runEndingCommand(): Promise<void> {
    const { options, grace, logger, startEndingCommand } = this.#options
    if (options.onTerminate === undefined) return
    const command = startEndingCommand(options.onTerminate)
    if (await settledWithin(command.exited, grace)) return
    logger().warn(`the command of --on-terminate has not ended in ${grace / 1000} s: it is killed`)
    command.kill()
  }

  async #onUser(signal: NodeJS.Signals): Promise<void> {
    const part = this.#options.clientPart()
    if (part.kind === 'program' && !(await this.#signals?.reachedAll(signal))) part.program.signal(signal)
  }
}
