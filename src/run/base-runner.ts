import { InterruptedError, type RunContext } from '../identity/run-context.ts'
import type { Identity } from '../identity/identity.ts'
import { type Role, rolesOf } from '../identity/roles.ts'
import { completeOptions, type RunnerOptions } from '../options.ts'
import { signalStatus } from '../process/exit.ts'
import type { Reaper } from '../process/reaper.ts'
import type { ClientProcess } from '../python/client-process.ts'
import { clientPatience, takeClientProcess } from '../python/take-client-process.ts'
import type { PublishedFile } from '../record/scheduler-file.ts'
import { withoutShownSecret } from '../record/scheduler-file.ts'
import { neverDry } from '../util/defects.ts'
import type { EndingSignal } from '../util/early-signals.ts'
import { ownProgram } from '../util/own-program.ts'
import { refuseInImport, refuseOwnProcess } from '../util/own-process.ts'
import { untilOutputTaken } from '../util/slow-output.ts'
import { logFailure } from './cause.ts'
import { failureOf } from './failure.ts'
import { RunnerHooks } from './hooks.ts'
import { makeRunParts } from './run-parts.ts'
import { InlineClient } from './inline-client.ts'
import { watchOwnDefects } from './own-defects.ts'
import { Run } from './run.ts'
import { realRunSeams, type RunSeams } from './seams.ts'
import { Shutdown } from './shutdown.ts'
import { Supervisor } from './supervisor.ts'

// Before the code that imports the library.
refuseOwnProcess()

/** A process that knows who it is. */
interface Identified {
  readonly run: Run
  readonly inlineClient: InlineClient
  readonly ownDefects: Disposable
}

/**
 * One of the processes that together become a Dask cluster. A subclass says how a process learns who
 * it is, and how what rank 0 publishes reaches the others.
 */
export abstract class BaseRunner extends RunnerHooks implements AsyncDisposable {
  readonly #supervisor: Supervisor
  readonly #ending = new AbortController()
  #shutdown: Shutdown | undefined
  #identified: Identified | undefined

  /** @param seams how it has to do with the world around this process @internal */
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- the published declarations have only the next one
  constructor(options: RunnerOptions, seams: RunSeams)
  /**
   * @param options a subclass that has more of them keeps those to itself
   * @throws TypeError where there is no option of a name, RangeError where one is outside of what it takes.
   */
  constructor(options: RunnerOptions)
  constructor(options: RunnerOptions, seams: RunSeams = realRunSeams) {
    super()
    this.#supervisor = new Supervisor(completeOptions(options), seams)
  }

  /**
   * Takes this process into the run. Resolves in the client's process only, when the cluster is
   * there; every other process hosts its part of the cluster and exits with the run. Where a signal
   * ends the run before that, the client's process exits too, with the signal's status.
   *
   * @throws RunnerError in the client's process, where there is no cluster to be had.
   */
  static async start<O extends RunnerOptions | undefined, R extends BaseRunner>(
    this: new (options: O) => R,
    options: NoInfer<Exclude<O, undefined>> = {} as NoInfer<Exclude<O, undefined>>,
  ): Promise<R> {
    refuseInImport()
    // A bundle that lacks it is refused here, before anything has been started.
    ownProgram()
    const runner = new this(options)
    await neverDry(async () => {
      await runner.#start()
    })
    return runner
  }

  async #start(): Promise<void> {
    const supervisor = this.#supervisor
    const shutdown = new Shutdown(supervisor)
    this.#shutdown = shutdown
    const ownDefects = watchOwnDefects(async (error) => {
      await this.#identified?.run.failByDefect(error)
    })
    try {
      const run = new Run(await makeRunParts(supervisor, shutdown, this.lend()))
      this.#identified = { run, inlineClient: new InlineClient(run, this.#ending), ownDefects }
    } catch (error) {
      await this.#endUnidentified(error, shutdown)
      ownDefects[Symbol.dispose]()
      throw error
    }
    try {
      await this.#identified.run.start()
      this.#identified.inlineClient.begin()
    } catch (error) {
      ownDefects[Symbol.dispose]()
      throw error
    }
  }

  /** Ends a process that has not found out who it is. Returns if the client is inline, which is told why. */
  async #endUnidentified(error: unknown, shutdown: Shutdown): Promise<void> {
    const supervisor = this.#supervisor
    const { options, logger, reaper } = supervisor
    const isInterrupted = error instanceof InterruptedError
    const failure = failureOf(error, undefined)
    supervisor.moveTo('ending')
    await reaper.close()
    supervisor.moveTo('ended')
    if (!isInterrupted) logFailure(failure, undefined, { logger })
    shutdown[Symbol.dispose]()
    const isInline = options.command === undefined && options.client
    if (isInline && !(isInterrupted && options.signal?.aborted !== true)) return
    await untilOutputTaken()
    options.exit(isInterrupted ? signalStatus(error.signal) : failure.status)
  }

  /** The published scheduler file with our record in it. Its `secret` is there, and does not show where it is printed. */
  get record(): PublishedFile {
    const file = this.#identified?.run.parts.member.file
    if (file === undefined) throw new TypeError('Cannot read the record: the runner has not started')
    return withoutShownSecret(file)
  }

  /** Where Dask's clients connect, such as `tcp://10.0.0.1:41234`. */
  get schedulerAddress(): string {
    return this.record.address
  }

  /** Absolute path of the scheduler file. */
  get schedulerFile(): string {
    return this.#context.schedulerFile
  }

  /** How many workers the run starts, over all of its processes. */
  get nWorkers(): number {
    return this.record.dask_hpc_runner.n_workers
  }

  /** Aborts with the cause when the cluster is lost or a signal ends the run; the grace begins then. */
  get signal(): AbortSignal {
    return this.#ending.signal
  }

  /** Ends the run: this process is its client and has done its work. May be called twice. */
  async close(): Promise<void> {
    if (this.#identified === undefined) return
    await this.#identified.inlineClient.close()
    this.#identified.ownDefects[Symbol.dispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** For a Client of this cluster. @internal */
  async [takeClientProcess](python?: string): Promise<ClientProcess> {
    return await this.#run.parts.components.takeClientProcess(python)
  }

  /** The same. @internal */
  get [clientPatience](): number {
    return this.#context.options.rendezvousTimeout
  }

  // For subclasses.

  /** Ends what this process has started, whatever ends this process. */
  protected get reaper(): Reaper {
    return this.#supervisor.reaper
  }

  /** The roles of a process: those of the layout, unless a subclass decides otherwise. */
  protected override getRoles(me: Identity): readonly Role[] {
    const { layout, client, scheduler } = this.#supervisor.options
    return rolesOf(me.rank, { size: me.size, layout, client, scheduler })
  }

  /** Ends the start of this process because of something that a subclass has noticed. */
  protected abandonStart(error: Error): void {
    if (this.#identified?.run.parts.member.isJoined !== true) this.#supervisor.abandonStart(error)
  }

  /** Does what a signal to this process would do, unless the run is ending already. */
  protected interrupt(signal: EndingSignal): void {
    this.#shutdown?.interrupt(signal)
  }

  get #run(): Run {
    if (this.#identified === undefined) throw new TypeError('Cannot use the runner: it has not started')
    return this.#identified.run
  }

  get #context(): RunContext {
    return this.#run.parts.context
  }
}
