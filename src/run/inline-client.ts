import { InterruptedError } from '../identity/run-context.ts'
import { signalStatus } from '../process/exit.ts'
import type { EndingSignal } from '../util/early-signals.ts'
import { sleepUnref } from '../util/wait.ts'
import { errorOf } from './failure.ts'
import type { Run } from './run.ts'

/** The user's code, if that is the client. It runs in this very process, and may keep its loop busy. */
export class InlineClient {
  readonly #run: Run
  /** Aborts with the cause when the user's code has to end. */
  readonly #ending: AbortController
  #closing: Promise<void> | undefined

  constructor(run: Run, ending: AbortController) {
    this.#run = run
    this.#ending = ending
  }

  /** From now on the user's code runs, and this process lives as long as that wants. */
  begin(): void {
    const { member, shutdown } = this.#run.parts
    this.#run.unref()
    process.on('exit', this.#onExit)
    process.on('beforeExit', this.#onBeforeExit)
    void member.result.then(async ({ failure, status }) => {
      const cause = failure === undefined ? new Error('The run has ended') : errorOf(failure)
      await this.#end(cause, failure?.status ?? status)
    })
    void shutdown.happened.then(async () => {
      if (shutdown.signal !== undefined) await this.#endBy(shutdown.signal)
    })
  }

  async #endBy(signal: EndingSignal): Promise<void> {
    await this.#end(new InterruptedError(signal), signalStatus(signal))
  }

  /** Tells the user's code to end, and ends it if it has not after its grace. */
  async #end(cause: Error, status: number): Promise<void> {
    if (this.#closing !== undefined) return
    const { context, supervisor } = this.#run.parts
    this.#ending.abort(cause)
    await sleepUnref(supervisor.timing.client)
    if (this.#hasClosed()) return
    context.logger.warn('the program has not ended in its time: it is ended now')
    process.exitCode = status
    await this.close()
    context.options.exit(status)
  }

  /** Ends the run: the user's code has done its work. May be called twice. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    const { heartbeat, member, shutdown, supervisor } = this.#run.parts
    await heartbeat.stop()
    if (supervisor.phase === 'ended') return
    const keepAlive = setInterval(() => undefined, 1_000)
    try {
      const interrupted = shutdown.signal && signalStatus(shutdown.signal)
      member.send({ type: 'ended', status: interrupted ?? Number(process.exitCode ?? 0) })
      const result = await member.result
      const status = await this.#run.end(result)
      const wanted = result.failure === undefined ? interrupted : status
      if (wanted !== undefined) process.exitCode ??= wanted
    } finally {
      clearInterval(keepAlive)
      process.off('exit', this.#onExit)
      process.off('beforeExit', this.#onBeforeExit)
    }
  }

  #hasClosed(): boolean {
    return this.#closing !== undefined
  }

  readonly #onBeforeExit = (): void => {
    void this.close()
  }

  /** The user's code has called `process.exit` or thrown: says so, with what can still be done at once. */
  readonly #onExit = (status: number): void => {
    const { member, supervisor } = this.#run.parts
    if (supervisor.phase === 'ended') return
    member.send({ type: 'ended', status })
    this.#run.exitAtOnce()
  }
}
