import type { Line } from '../control/line.ts'
import { joinControl } from '../control/join.ts'
import { reachDask } from '../control/reach.ts'
import type { FromHub, ToHub, Verdict } from '../control/messages.ts'
import { defaults } from '../defaults.ts'
import { messageOf, RunnerError } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import { fillIn, formatRunKey } from '../identity/run-key.ts'
import { createLogger, type Logger } from '../logger.ts'
import { type CompleteOptions, completeOptions, type RunnerOptions } from '../options.ts'
import { sayExit, shellStatus, signalStatus } from '../process/exit.ts'
import { Guardian } from '../process/guardian.ts'
import { Signals } from '../process/signals.ts'
import type { Failure, OutcomeRecord } from '../record/outcome-record.ts'
import type { DaskProcess } from '../python/dask-process.ts'
import { parseIdentity } from '../record/parse.ts'
import type { PublishedFile, SchedulerFile } from '../record/scheduler-file.ts'
import { rolesOf, type Role } from '../roles/roles.ts'
import { deferred } from '../util/deferred.ts'
import { type EndingSignal, takeHeldSignal } from '../util/early-signals.ts'
import { sayDuration } from '../util/duration.ts'
import { deadline, settledWithin } from '../util/wait.ts'
import { type Context, InterruptedError, type RunContext } from './context.ts'
import { errorOf, failureOf, report, RunIsOver } from './failure.ts'
import { RunnerHooks } from './hooks.ts'
import { Hosted } from './hosted.ts'
import { Hub } from './hub.ts'
import { divideGrace, type EndingRun, type EndTiming, patience } from './timing.ts'

/** How often process 0 looks at the end for processes that will not come. In milliseconds. */
const departureInterval = 250

/**
 * One of the processes that together become a Dask cluster. A subclass says how a process learns who
 * it is, and how what process 0 publishes reaches the others.
 */
export abstract class BaseRunner<O extends RunnerOptions = RunnerOptions>
  extends RunnerHooks
  implements AsyncDisposable
{
  readonly #options: CompleteOptions
  readonly #timing: EndTiming
  /** Ends what this process has started, whatever ends this process. */
  protected readonly guardian = new Guardian()
  readonly #verdict = deferred<Verdict>()
  /** Aborts the waits of the start. */
  readonly #starting = new AbortController()
  /** Aborts the caller's code, where that is the client. */
  readonly #body = new AbortController()
  #logger: Logger
  #signals: Signals | undefined
  #run: RunContext | undefined
  #hub: Hub | undefined
  #hosted: Hosted | undefined
  #link: Line<FromHub, ToHub> | undefined
  #file: PublishedFile | undefined
  #interrupted: EndingSignal | undefined
  #phase: 'starting' | 'running' | 'ending' | 'ended' = 'starting'
  #closing: Promise<void> | undefined

  /** @throws RangeError where an option is outside of what it takes. */
  constructor(options: O) {
    super()
    this.#options = completeOptions(options)
    this.#timing = divideGrace(this.#options.grace)
    this.#logger = createLogger({ prefix: '[dask-hpc-runner]', format: this.#options.logFormat })
  }

  /**
   * Takes this process into the run. Resolves in the client's process only, when the cluster is
   * there; every other process hosts its part of the cluster and exits with the run.
   *
   * @throws RunnerError in the client's process, where there is no cluster to be had.
   */
  static async start<O extends RunnerOptions, R extends BaseRunner<O>>(
    this: new (options: O) => R,
    options: O = {} as O,
  ): Promise<R> {
    const runner = new this(options)
    await runner.#start()
    return runner
  }

  /** The published scheduler file with our record in it. */
  get record(): PublishedFile {
    if (this.#file === undefined) throw new TypeError('Cannot read the record: the runner has not started')
    return this.#file
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
    return this.#body.signal
  }

  /** The roles of a process: those of the layout, unless a subclass decides otherwise. */
  protected getRoles(me: Identity): readonly Role[] {
    const { layout, client, scheduler } = this.#options
    return rolesOf(me.rank, { size: me.size, layout, client, scheduler })
  }

  /** Ends the start of this process because of something that a subclass has noticed. */
  protected abandonStart(error: Error): void {
    if (this.#link === undefined) this.#starting.abort(error)
  }

  /** Does what a signal to this process would do, unless the run is ending already. */
  protected interrupt(signal: EndingSignal): void {
    if (this.#interrupted !== undefined || this.#phase === 'ending' || this.#phase === 'ended') return
    this.#signals?.ending(signal, this.#handlers)
  }

  // The story of a run.

  async #start(): Promise<void> {
    this.#listenToSignals()
    // Output that cannot be written, on a full disk or into a closed pipe, must not end a run.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', ignore)
    let verdict: Verdict
    try {
      const run = await this.#findOutWhoIAm()
      const mine = run.roles[run.identity.rank] ?? []
      if (run.identity.rank === 0) await this.#gather(run, mine)
      else await this.#follow(run)
      run.signal.throwIfAborted()
      this.#phase = 'running'
      if (mine.includes('worker')) await this.#startWorkers(run)
      if (mine.includes('client')) {
        await this.beforeClientStart(run)
        if (this.#options.command === undefined) {
          this.#handOver()
          return
        }
        this.#startClient(this.#options.command)
      }
      verdict = await this.#verdict.promise
    } catch (error) {
      verdict = await this.#fail(error)
      if (this.#isCallers) {
        await this.#end(verdict)
        throw error
      }
    }
    this.#options.exit(await this.#end(verdict))
  }

  async #findOutWhoIAm(): Promise<RunContext> {
    const context: Context = { options: this.#options, logger: this.#logger, signal: this.#starting.signal }
    const identity = await this.identify(context)
    const roles = Array.from({ length: identity.size }, (_, rank) => this.getRoles({ ...identity, rank }))
    const mine = roles[identity.rank] ?? []
    this.#logger = createLogger({
      prefix: `[${identity.rank} ${mine.join('+')}]`,
      format: this.#options.logFormat,
    })
    const schedulerFile = fillIn(this.#options.schedulerFile, identity.runKey)
    this.#run = { ...context, logger: this.#logger, identity, roles, schedulerFile }
    this.#hosted = new Hosted(this.#run, this.guardian)
    return this.#run
  }

  /** Process 0: claim the path, start the scheduler, publish. */
  async #gather(run: RunContext, mine: readonly Role[]): Promise<void> {
    await this.prepare(run)
    const hub = await Hub.open(run, this.isOnOneHost())
    this.#hub = hub
    this.#attach(hub.link)
    if (this.#options.scheduler) await this.claim(hub.record, run)
    this.#leaveToGuardian(hub, run)
    const scheduler = mine.includes('scheduler') ? await this.#startScheduler(run) : await this.findExisting(run)
    this.#starting.signal.throwIfAborted()
    this.#file = { ...scheduler, dask_hpc_runner: hub.recordFor(scheduler.address) }
    await this.publish(this.#file, run)
    this.#waitForTheOthers(hub, run)
    const workers = this.nWorkers === 1 ? '1 worker' : `${this.nWorkers} workers`
    const python = mine.includes('scheduler') ? `, Dask of ${await this.#hosts.python}` : ''
    this.#logger.info(
      `cluster at ${scheduler.address}, ${workers} to come${python}, scheduler file ${run.schedulerFile}`,
    )
  }

  /** Nobody may wait for ever for a process that cannot come, or for the client's. */
  #waitForTheOthers({ coordinator }: Hub, run: RunContext): void {
    const { rendezvousTimeout } = this.#options
    const early = setTimeout(() => {
      void this.whyNobodyComes(run).then((error) => {
        if (error !== undefined) coordinator.fail(this.#failureOf(error))
      })
    }, defaults.lonelyAfter)
    const late = setTimeout(() => {
      coordinator.failWithoutClient(sayDuration(rendezvousTimeout))
    }, rendezvousTimeout)
    void coordinator.everybodyCame.then(() => {
      clearTimeout(early)
      clearTimeout(late)
    })
    early.unref()
    late.unref()
  }

  /** What is to be removed even where this process is killed. */
  #leaveToGuardian(hub: Hub, run: RunContext): void {
    const { files, directories, note } = this.leavings(run)
    if (note !== undefined) this.guardian.setNote(note)
    for (const path of files) this.guardian.addFile(path, hub.record.nonce)
    // Until then, what stands there tells a process that comes late that its run is gone.
    void hub.coordinator.everybodyCame.then(() => {
      for (const path of directories) this.guardian.addDirectory(path)
    })
  }

  /** Every other process: wait for what process 0 publishes, and join it. */
  async #follow(run: RunContext): Promise<void> {
    const { identity, signal } = run
    await this.prepare(run)
    const dead = new Set<string>()
    for (;;) {
      const found = await this.lookUp(run, dead)
      const cluster = found.kind === 'cluster' ? found.file.dask_hpc_runner : found.outcome.cluster
      try {
        if (cluster !== undefined) this.#attach(await joinControl(cluster, { ...identity, signal }))
      } catch (error) {
        signal.throwIfAborted()
        if (found.kind === 'cluster' && !dead.has(cluster?.nonce ?? '')) {
          // Of an earlier run of the same key, perhaps: process 0 then replaces it.
          dead.add(found.file.dask_hpc_runner.nonce)
          this.#logger.warn(`${messageOf(error)}; waiting for a newer record`)
          continue
        }
        if (found.kind === 'cluster') throw error
      }
      if (found.kind === 'cluster') {
        this.#file = found.file
        await this.#checkReach(run)
        this.#logger.info(`joined the run of process 0 on ${found.file.dask_hpc_runner.host}`)
        return
      }
      const { failure } = found.outcome
      if (failure === undefined && run.roles[identity.rank]?.includes('client') === true)
        throw new RunnerError('Cannot run the client program: the run was over before this process had joined it', {
          code: 'ERR_COMPONENT_LOST',
        })
      throw new RunIsOver({ status: failure?.status ?? 0, forced: false, ...(failure && { failure }) })
    }
  }

  /** An address that only its own host can use would let Dask's connections wait for long. */
  async #checkReach({ identity, signal }: RunContext): Promise<void> {
    const answer = await reachDask(this.schedulerAddress, signal)
    signal.throwIfAborted()
    if (answer === 'answers') return
    const why =
      answer === 'refuses' ? 'nothing listens there' : 'it cannot be reached; name another --interface or --host'
    throw new RunnerError(`Cannot use the scheduler at ${this.schedulerAddress} from ${identity.host}: ${why}`, {
      code: 'ERR_UNAVAILABLE',
    })
  }

  async #startScheduler(run: RunContext): Promise<SchedulerFile> {
    const { rendezvousTimeout } = this.#options
    await this.beforeSchedulerStart(run)
    const process = await this.#hosts.startScheduler()
    const late = (): Error =>
      new RunnerError(`Cannot start the scheduler: it was not running after ${sayDuration(rendezvousTimeout)}`, {
        code: 'ERR_TIMED_OUT',
        lastLines: process.tail,
      })
    const identity = await deadline(process.started, rendezvousTimeout, late, run.signal)
    void process.exited.then((exit) => {
      void this.#onSchedulerEnd(
        shellStatus(exit),
        `The scheduler on ${run.identity.host} ${sayExit(exit)}`,
        process.tail,
      )
    })
    const scheduler = parseIdentity(identity)
    if (scheduler === undefined)
      throw new RunnerError(`Cannot use what the scheduler says of itself: ${JSON.stringify(identity)}`, {
        code: 'ERR_BUG',
      })
    await this.onSchedulerStart(run, scheduler)
    return scheduler
  }

  async #startWorkers(run: RunContext): Promise<void> {
    await this.beforeWorkerStart(run)
    for (const worker of await this.#hosts.startWorkers(this.schedulerAddress)) {
      void this.#tellWorkerStart(run, worker)
      void worker.exited.then((exit) => {
        if (this.#phase !== 'running') return
        const message = `${capital(worker.name)} on ${run.identity.host} ${sayExit(exit)}`
        const last_lines = [...worker.tail]
        this.#link?.send({ type: 'worker-ended', status: shellStatus(exit), message, last_lines })
      })
    }
  }

  async #tellWorkerStart(run: RunContext, worker: DaskProcess): Promise<void> {
    // A worker that ends before it has started is told of by its end.
    const started = await worker.started.then(
      () => true,
      () => false,
    )
    if (!started) return
    try {
      await this.onWorkerStart(run, worker.name)
    } catch (error) {
      this.#logger.warn(`onWorkerStart of ${worker.name} failed: ${messageOf(error)}`)
    }
  }

  #startClient(command: readonly [string, ...string[]]): void {
    if (this.#interrupted !== undefined) {
      this.#link?.send({ type: 'ended', status: signalStatus(this.#interrupted) })
      return
    }
    const client = this.#hosts.startClient(command, this)
    void client.exited.then((exit) => {
      if (client.whyNotStarted !== undefined)
        this.#logger.error(`Cannot start the client program: ${client.whyNotStarted}`)
      this.#link?.send({ type: 'ended', status: shellStatus(exit) })
    })
  }

  // The caller's code is the client.

  #handOver(): void {
    this.#link?.unref()
    this.#hub?.unref()
    this.#hosts.unref()
    process.on('exit', this.#onProcessExit)
    process.on('beforeExit', this.#onBeforeExit)
    void this.#verdict.promise.then(async ({ failure, status }) => {
      if (this.#closing !== undefined) return
      const cause = failure === undefined ? new Error('The run has ended') : errorOf(failure)
      await this.#endBody(cause, failure?.status ?? status)
    })
  }

  /** Ends the run: this process is its client and has done its work. May be called twice. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    if (this.#run === undefined || this.#phase === 'ended') return
    const keepAlive = setInterval(() => undefined, 1_000)
    try {
      const interrupted = this.#interrupted === undefined ? undefined : signalStatus(this.#interrupted)
      this.#link?.send({ type: 'ended', status: interrupted ?? Number(process.exitCode ?? 0) })
      const verdict = await this.#verdict.promise
      const status = await this.#end(verdict)
      const wanted = verdict.failure === undefined ? interrupted : status
      if (wanted !== undefined) process.exitCode ??= wanted
    } finally {
      clearInterval(keepAlive)
    }
  }

  /** Tells the caller's code to end, and ends it where it has not after its grace. */
  async #endBody(cause: Error, status: number): Promise<void> {
    this.#body.abort(cause)
    await sleepUnref(this.#timing.client)
    if (this.#closing !== undefined) return
    this.#logger.warn('the program has not ended in its time: it is ended now')
    process.exitCode = status
    await this.close()
    this.#options.exit(status)
  }

  readonly #onBeforeExit = (): void => {
    void this.close()
  }

  /** The caller's code has called `process.exit` or thrown: say so, with what can still be done at once. */
  readonly #onProcessExit = (status: number): void => {
    if (this.#phase === 'ended' || this.#run === undefined) return
    this.#link?.send({ type: 'ended', status })
    if (this.#hub !== undefined) this.publishOutcomeAtOnce(this.#outcome(undefined), this.#run)
    this.guardian.cancelNote()
    this.#hosts.kill()
  }

  // Signals, loss and the end.

  readonly #handlers = {
    onEnding: (signal: EndingSignal, again: boolean): void => {
      void this.#onEndingSignal(signal, again)
    },
    onUser: (signal: NodeJS.Signals): void => {
      void this.#onUserSignal(signal)
    },
  }

  #listenToSignals(): void {
    const signals = new Signals(this.#handlers)
    this.#signals = signals
    this.guardian.onSignal((signal) => {
      signals.sawInTree(signal)
    })
    const held = takeHeldSignal()
    if (held !== undefined) this.interrupt(held)
    const { signal } = this.#options
    const onAbort = (): void => {
      this.interrupt('SIGTERM')
    }
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
  }

  async #onEndingSignal(signal: EndingSignal, again: boolean): Promise<void> {
    if (again) {
      this.#logger.warn(`${signal} again: ending everything at once`)
      this.#hosted?.kill()
      this.#link?.send({ type: 'signal', signal, again })
      return
    }
    if (this.#phase === 'ending' || this.#phase === 'ended') return
    this.#interrupted = signal
    this.#starting.abort(new InterruptedError(signal))
    if (this.#phase === 'starting') return
    const client = this.#hosts.client
    if (client !== undefined) {
      this.#logger.info(`${signal}: the client program has ${this.#timing.client / 1000} s to end`)
      if (!(await this.#signals?.reachedAll(signal))) client.signal(signal)
      if (await settledWithin(client.exited, this.#timing.client)) return
      this.#logger.warn(
        `the client program has not ended ${this.#timing.client / 1000} s after ${signal}: it is killed`,
      )
      client.kill()
    } else if (this.#isCallers) {
      await this.#endBody(new InterruptedError(signal), signalStatus(signal))
    } else {
      this.#link?.send({ type: 'signal', signal, again })
    }
  }

  async #onUserSignal(signal: NodeJS.Signals): Promise<void> {
    const client = this.#hosted?.client
    if (client === undefined) return
    if (!(await this.#signals?.reachedAll(signal))) client.signal(signal)
  }

  async #onSchedulerEnd(status: number, message: string, lastLines: readonly string[]): Promise<void> {
    const hub = this.#hub
    if (hub === undefined || this.#phase === 'ending' || this.#phase === 'ended') return
    const error = new RunnerError(message, { code: 'ERR_COMPONENT_LOST', lastLines })
    if (this.#phase === 'starting') {
      this.#starting.abort(error)
      return
    }
    const failure = this.#failureOf(error)
    if (status !== 0) hub.coordinator.fail(failure)
    else if (!this.#options.client) hub.coordinator.end(0)
    else {
      // Closed by the client program itself, perhaps, which then ends too.
      this.#logger.info(`${message}: the client program has ${this.#timing.client / 1000} s to end`)
      await sleepUnref(this.#timing.client)
      hub.coordinator.fail({ ...failure, message: `${message} before the client program` })
    }
  }

  #attach(link: Line<FromHub, ToHub>): void {
    this.#link = link
    link.onMessage((message) => {
      if (message.type === 'terminate') this.interrupt(message.signal)
      else if (message.type === 'end') {
        if (message.forced) this.#hosted?.kill()
        this.#verdict.resolve(message)
      }
    })
    void link.closed.then(() => {
      const message = `Lost process 0: its connection closed before the end of the run`
      const failure = this.#failureOf(new RunnerError(message, { code: 'ERR_COMPONENT_LOST' }))
      this.#verdict.resolve({ status: failure.status, failure, forced: false })
    })
  }

  /** Something failed here: tells whoever can be told, and gives the verdict. */
  async #fail(error: unknown): Promise<Verdict> {
    if (error instanceof RunIsOver) return error.verdict
    if (error instanceof InterruptedError && this.#hub === undefined) {
      if (this.#run !== undefined) await this.depart(this.#run)
      return { status: signalStatus(error.signal), forced: false }
    }
    const failure = this.#failureOf(error)
    if (this.#hub !== undefined && this.#run !== undefined) {
      if (this.#file === undefined || this.#phase === 'starting')
        await this.publishOutcome(this.#outcome(failure), this.#run)
      if (error instanceof InterruptedError) this.#hub.coordinator.end(failure.status)
      else this.#hub.coordinator.fail(failure)
      return await this.#verdict.promise
    }
    if (this.#link === undefined) {
      if (this.#run !== undefined) await this.depart(this.#run)
      return { status: failure.status, failure, forced: false }
    }
    this.#link.send({ type: 'failed', failure })
    return await this.#verdict.promise
  }

  /** Ends what this process hosts, in order, and with process 0 the run. Gives the exit status. */
  async #end(verdict: Verdict): Promise<number> {
    const from = this.#phase
    this.#phase = 'ending'
    const run = this.#run
    const status = this.#statusOf(verdict)
    if (run !== undefined) {
      const { client } = this.#hosts
      if (client !== undefined) {
        if (verdict.forced) client.kill()
        else if (verdict.failure !== undefined) client.signal('SIGTERM')
        if (!(await settledWithin(client.exited, this.#timing.client))) client.kill()
        await client.exited
      }
      if (verdict.forced) this.#hosts.kill()
      await this.#hosts.stopWorkers(this.#timing.workers)
      this.#link?.send({ type: 'done' })
      if (this.#hub === undefined) {
        // A workload manager may cut everybody short once a process fails: that one waits for the others.
        const linked = this.#link
        if (status !== 0 && linked !== undefined && from === 'running')
          await settledWithin(linked.closed, this.#timing.peers + this.#timing.scheduler * 2)
        linked?.end()
      } else await this.#endRun(this.#hub, run, verdict)
      await this.afterEnd(run, this.#link !== undefined)
    }
    this.guardian.cancelNote()
    await this.guardian.close()
    this.#signals?.[Symbol.dispose]()
    process.off('exit', this.#onProcessExit)
    process.off('beforeExit', this.#onBeforeExit)
    this.#phase = 'ended'
    if (verdict.failure !== undefined) report(verdict.failure, this.#run?.identity, this.#logger)
    return status
  }

  /** Process 0 ends last: the others, the scheduler, what was published. */
  async #endRun(hub: Hub, run: RunContext, verdict: Verdict): Promise<void> {
    const { coordinator } = hub
    const scheduler = this.#hosts.scheduler
    const ending: EndingRun = {
      someMissing: coordinator.missing.length > 0,
      failed: verdict.failure !== undefined,
      interrupted: verdict.forced || this.#interrupted !== undefined,
    }
    const lookForDepartures = setInterval(() => {
      void this.departed(run).then((ranks) => {
        for (const rank of ranks) coordinator.depart(rank)
      })
    }, departureInterval)
    await settledWithin(coordinator.everybodyDone, patience(this.#timing, ending))
    clearInterval(lookForDepartures)
    if (verdict.forced) scheduler?.kill()
    await scheduler?.stop(this.#timing.scheduler)
    const { missing } = coordinator
    if (missing.length > 0 && !verdict.forced)
      this.#logger.warn(`ended without having seen process ${missing.join(', ')}`)
    const somebodyMayCome = missing.length > 0 && !this.isOnOneHost()
    await this.withdraw(run, somebodyMayCome ? this.#outcome(verdict.failure) : undefined)
    await hub.close()
  }

  // Small words.

  get #isCallers(): boolean {
    if (this.#options.command !== undefined) return false
    return this.#run === undefined || this.#run.roles[this.#run.identity.rank]?.includes('client') === true
  }

  get #context(): RunContext {
    if (this.#run === undefined) throw new TypeError('Cannot use the runner: it has not started')
    return this.#run
  }

  get #hosts(): Hosted {
    if (this.#hosted === undefined) throw new TypeError('Cannot use the runner: it has not started')
    return this.#hosted
  }

  /** The client's process exits as the client did, the others with 0; after a failure all exit alike. */
  #statusOf({ status, failure }: Verdict): number {
    if (failure !== undefined) return failure.status
    const reporter = this.#run?.roles.findIndex((roles) => roles.includes('client')) ?? -1
    return this.#run === undefined || this.#run.identity.rank === Math.max(reporter, 0) ? status : 0
  }

  #outcome(failure: Failure | undefined): OutcomeRecord {
    return {
      version: 1,
      run_key: formatRunKey(this.#context.identity.runKey),
      ...(failure === undefined ? {} : { failure }),
      ...(this.#hub === undefined ? {} : { cluster: this.#hub.record }),
    }
  }

  #failureOf(error: unknown): Failure {
    return failureOf(error, this.#run?.identity)
  }
}

function ignore(): void {
  // Nothing can be done about it, and nobody told.
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

async function sleepUnref(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms).unref())
}
