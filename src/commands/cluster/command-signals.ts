import { ClientProgram } from '../../components/client-program.ts'
import { findProgram } from '../../python/python-of-command.ts'
import { Reaper } from '../../process/reaper.ts'
import { shellStatus, signalStatus } from '../../process/exit.ts'
import { Signals } from '../../process/signals.ts'
import { InterruptedError } from '../../identity/run-context.ts'
import { type EndingSignal, takeHeldSignal } from '../../util/early-signals.ts'

/**
 * What the signals to this process do while a command beside the cluster is under way: they abort it,
 * or, once it runs a program, they are that program's.
 */
export class CommandSignals implements Disposable {
  readonly #abort = new AbortController()
  readonly #reaper = new Reaper()
  readonly #signals: Signals
  #program: ClientProgram | undefined

  constructor() {
    this.#signals = new Signals({
      onEnding: (signal) => {
        if (this.#program === undefined) this.#abort.abort(new InterruptedError(signal))
        else void this.#pass(signal, this.#program)
      },
      onUser: (signal) => {
        if (this.#program !== undefined) void this.#pass(signal, this.#program)
      },
    })
    this.#reaper.onSignal((signal) => {
      this.#signals.sawInTree(signal)
    })
    const held: EndingSignal | undefined = takeHeldSignal()
    if (held !== undefined) this.#abort.abort(new InterruptedError(held))
  }

  /** Aborts with an {@link InterruptedError}, unless a program runs. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The signal that aborted it, if any. */
  get by(): NodeJS.Signals | undefined {
    const { aborted, reason } = this.signal as { readonly aborted: boolean; readonly reason: unknown }
    return aborted && reason instanceof InterruptedError ? reason.signal : undefined
  }

  /**
   * Runs a program with our own standard streams, which ends with us however we end.
   *
   * @returns its status and, where it could not be started (127 or 126), why.
   */
  async run(
    command: readonly [string, ...string[]],
    env: NodeJS.ProcessEnv,
  ): Promise<{ readonly status: number; readonly whyNotStarted: string | undefined }> {
    // Node would wait without an end for a program on a filesystem that hangs.
    await findProgram(command[0], env)
    this.signal.throwIfAborted()
    const program = new ClientProgram(command, env, this.#reaper)
    this.#program = program
    const exit = await program.exited
    await this.#reaper.close()
    return { status: shellStatus(exit), whyNotStarted: program.whyNotStarted }
  }

  [Symbol.dispose](): void {
    this.#signals[Symbol.dispose]()
  }

  async #pass(signal: NodeJS.Signals, program: ClientProgram): Promise<void> {
    if (!(await this.#signals.reachedAll(signal))) program.signal(signal)
  }
}

/**
 * Does `work`, which gives an exit status, until TERM, INT or HUP end it: the status is 128+n then.
 *
 * @throws what `work` throws for another reason.
 */
export async function withCommandSignals(work: (signals: CommandSignals) => Promise<number>): Promise<number> {
  using signals = new CommandSignals()
  try {
    return await work(signals)
  } catch (error) {
    if (signals.by !== undefined) return signalStatus(signals.by)
    throw error
  }
}
