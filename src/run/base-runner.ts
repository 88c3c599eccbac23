import { RefusedError } from '../control/join.ts'
import { NotReachedError } from '../control/open-channel.ts'
import type { RunResult } from '../control/messages.ts'
import { messageOf, RunnerError } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import { fillIn, formatRunKey } from '../identity/run-key.ts'
import { createLogger, type Logger } from '../logger.ts'
import { type CompleteOptions, completeOptions, type RunnerOptions } from '../options.ts'
import { formatExit, shellStatus, signalStatus } from '../process/exit.ts'
import { Reaper } from '../process/reaper.ts'
import type { ClientProcess } from '../python/client-process.ts'
import { takeClientProcess } from '../python/take-client-process.ts'
import type { Failure, OutcomeRecord } from '../record/outcome-record.ts'
import type { PublishedFile, SchedulerFile } from '../record/scheduler-file.ts'
import { withoutShownSecret } from '../record/without-secret.ts'
import { formatVersions } from '../record/versions.ts'
import { rolesOf, type Role } from '../identity/roles.ts'
import { checkRunSize } from '../components/run-size.ts'
import { tellDefectsBy } from '../util/defects.ts'
import type { EndingSignal } from '../util/early-signals.ts'
import { ignoreLostOutput } from '../util/lost-output.ts'
import { refuseInImport, refuseOwnProcess } from '../util/own-process.ts'
import { ownProgram } from '../util/own-program.ts'
import { checkSurroundings, refuseControl } from '../util/surroundings.ts'
import { SpareFiles } from '../util/spare-files.ts'
import type { TlsMaterial } from '../util/tls-material.ts'
import { settledWithin, sleepUnref } from '../util/wait.ts'
import { Body } from './inline-client.ts'
import { type Context, InterruptedError, type RunContext } from '../identity/run-context.ts'
import type { Coordinator } from './coordinator.ts'
import { endRun } from './end-run.ts'
import { errorOf, failureOf, HostLostError, report, RunIsOver, standingTo } from './failure.ts'
import { checkPlaces } from '../components/check-places.ts'
import { checkWorkerPorts } from '../components/check-ports.ts'
import { checkReach } from './check-reach.ts'
import { RunnerHooks } from './hooks.ts'
import { LocalComponents } from '../components/local-components.ts'
import type { Hub } from './hub.ts'
import { type ClientPart, Interruption } from './shutdown.ts'
import { meet } from './join-run.ts'
import { Membership } from './member.ts'
import { watchOwnDefects } from './own-defects.ts'
import { leaveReport } from './report.ts'
import { tlsOf, whyUnusable } from '../security/run-tls.ts'
import { showProgress } from '../util/run-progress.ts'
import { certificatesOfOther, SecureRun } from './secure-run.ts'
import { logDashboard, logOpenPorts, logWithoutClient, warnOfOtherPython } from './start-message.ts'
import { type RunningScheduler, schedulerRuns } from '../components/scheduler.ts'
import { releaseDelay } from './cancel-step.ts'
import { divideGrace, type EndTiming } from './timing.ts'
import { waitForOthers } from './wait-for-others.ts'
import { Workers } from './workers.ts'

// Before the code that imports the library.
refuseOwnProcess()

/** How long a process 0 that was stopped may take to publish where it is. In milliseconds. */
const wakingTime = 4_000

/** How long the program's start is held up for the versions of its Python, at most. In milliseconds. */
const warningTime = 2_000

/**
 * One of the processes that together become a Dask cluster. A subclass says how a process learns who
 * it is, and how what process 0 publishes reaches the others.
 */
export abstract class BaseRunner extends RunnerHooks implements AsyncDisposable {
  readonly #options: CompleteOptions
  readonly #timing: EndTiming
  /** Ends what this process has started, whatever ends this process. */
  protected readonly reaper: Reaper
  readonly #began = new Date()
  readonly #spareFiles = new SpareFiles()
  #hasToldCause = false
  /** Aborts the waits of the start. */
  readonly #starting = new AbortController()
  readonly #body: Body
  #logger: Logger
  readonly #interruption: Interruption
  #ownDefects: Disposable | undefined
  #run: RunContext | undefined
  #membership: Membership | undefined
  #hub: Hub | undefined
  #secure: SecureRun | undefined
  #hosted: LocalComponents | undefined
  #workers: Workers | undefined
  #file: PublishedFile | undefined
  #phase: 'starting' | 'running' | 'ending' | 'ended' = 'starting'
  #closing: Promise<void> | undefined
  /** Word of processes that will not come is being looked for. */
  #isLooking = false
  /** Why process 0 was not joined, where that is so: its host does not answer, it is late, or it does not answer itself. */
  #gatherer: 'host lost' | 'late' | 'silent' | undefined

  /**
   * @param options a subclass that has more of them keeps those to itself
   * @throws TypeError where there is no option of a name, RangeError where one is outside of what it takes.
   */
  constructor(options: RunnerOptions) {
    super()
    this.#options = completeOptions(options)
    const { grace, lostAfter, exit } = this.#options
    this.#timing = divideGrace(grace)
    this.reaper = new Reaper(this.#options)
    this.reaper.onFailure = (error) => {
      if (this.#phase === 'starting') this.#starting.abort(error)
    }
    this.#logger = createLogger({ prefix: '[dask-hpc-runner]', format: this.#options.logFormat })
    this.#body = new Body({
      grace: this.#timing.client,
      wholeGrace: grace,
      lostAfter,
      hasEnded: () => this.#closing !== undefined,
      close: async () => {
        await this.close()
      },
      onExit: this.#onProcessExit,
      exit,
    })
    this.#interruption = new Interruption({
      options: this.#options,
      logger: () => this.#logger,
      reaper: this.reaper,
      grace: this.#timing.client,
      phase: () => this.#phase,
      clientPart: () => this.#clientPart,
      endStart: (signal) => {
        this.#starting.abort(new InterruptedError(signal))
      },
      startEndingCommand: (command) => this.#hosts.startEndingCommand(command, this),
      passOn: (signal, again) => this.#membership?.send({ type: 'signal', signal, again }),
      tellEnd: (signal) => {
        this.#member.send({ type: 'ended', status: signalStatus(signal) })
      },
      kill: () => this.#hosted?.kill(),
    })
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
    options?: NoInfer<Exclude<O, undefined>>,
  ): Promise<R> {
    refuseInImport()
    // A bundle that lacks it is refused here, before anything has been started.
    ownProgram()
    const runner = new this(options ?? ({} as NoInfer<Exclude<O, undefined>>))
    await runner.#start()
    return runner
  }

  /** The published scheduler file with our record in it. Its `secret` is there, and does not show where it is printed. */
  get record(): PublishedFile {
    if (this.#file === undefined) throw new TypeError('Cannot read the record: the runner has not started')
    return withoutShownSecret(this.#file)
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

  /** For a Client of this cluster. @internal */
  async [takeClientProcess](): Promise<ClientProcess> {
    return await this.#hosts.takeClientProcess()
  }

  /** The roles of a process: those of the layout, unless a subclass decides otherwise. */
  protected getRoles(me: Identity): readonly Role[] {
    const { layout, client, scheduler } = this.#options
    return rolesOf(me.rank, { size: me.size, layout, client, scheduler })
  }

  /** Ends the start of this process because of something that a subclass has noticed. */
  protected abandonStart(error: Error): void {
    if (this.#membership?.line === undefined) this.#starting.abort(error)
  }

  /** Does what a signal to this process would do, unless the run is ending already. */
  protected interrupt(signal: EndingSignal): void {
    this.#interruption.interrupt(signal)
  }

  // The story of a run.

  async #start(): Promise<void> {
    this.#interruption.listen()
    tellDefectsBy(async (error) => {
      await this.#failByDefect(error)
    })
    this.#ownDefects = watchOwnDefects()
    let verdict: RunResult
    try {
      const run = await this.#findOutWhoIAm()
      const mine = run.roles[run.identity.rank] ?? []
      // Those of a secure run are made for it.
      const hasOwnCertificates = run.options.protocol === 'tls' && this.#secure === undefined
      if (!hasOwnCertificates) this.#warmUp(mine)
      await this.prepare(run)
      await checkPlaces(run.options, mine)
      await checkWorkerPorts(run, mine)
      // A place that the user names is tried before there is a cluster. What is made this early stays where Slurm kills a whole step.
      if (mine.includes('worker') && run.options.localDirectory !== undefined) await this.#hosts.ownDirectory()
      const unusable = hasOwnCertificates ? await whyUnusable(run) : undefined
      if (hasOwnCertificates && unusable === undefined) this.#warmUp(mine)
      ignoreLostOutput()
      if (run.identity.rank > 0) await this.#follow(run, unusable)
      else if (unusable === undefined) await this.#gather(run, mine)
      else throw unusable
      run.signal.throwIfAborted()
      this.#phase = 'running'
      if (mine.includes('worker')) await this.#startWorkers(run)
      if (mine.includes('client')) {
        const { command, waitWorkers } = this.#options
        const warned =
          command === undefined ? undefined : warnOfOtherPython(command, run, this.record.dask_hpc_runner.versions)
        if (waitWorkers !== undefined) {
          await this.#member.awaitWorkers(waitWorkers, this.#interruption.happened)
          // There was time to find out: then it is said before the program says anything.
          if (warned !== undefined) await settledWithin(warned, warningTime)
        }
        await this.beforeClientStart(run)
        if (this.#options.command === undefined) {
          run.signal.throwIfAborted()
          this.#handOver()
          return
        }
        this.#startClient(this.#options.command)
      }
      verdict = await this.#member.verdict
    } catch (error) {
      verdict = await this.#fail(error)
      if (this.#isCallers && !this.#isEndedBySignal(error, verdict)) {
        await this.#end(verdict)
        throw error instanceof RunIsOver && verdict.failure !== undefined ? errorOf(verdict.failure) : error
      }
    }
    this.#options.exit(await this.#end(verdict))
  }

  /** Starts what takes its time to load, while there is nothing to run yet. */
  #warmUp(mine: readonly Role[]): void {
    this.#hosts.warmUp(mine)
    if (this.#options.warmClient && mine.includes('client') && this.#isCallers) this.#hosts.warmClient()
  }

  async #findOutWhoIAm(): Promise<RunContext> {
    checkSurroundings()
    const context: Context = { options: this.#options, logger: this.#logger, signal: this.#starting.signal }
    const identity = await this.identify(context)
    const roles = Array.from({ length: identity.size }, (_, rank) => this.getRoles({ ...identity, rank }))
    checkRunSize(this.#options, { roles, isOnOneHost: this.isOnOneHost() })
    const mine = roles[identity.rank] ?? []
    this.#logger = createLogger({
      prefix: `[${identity.rank} ${mine.join('+')}]`,
      format: this.#options.logFormat,
    })
    const schedulerFile = await this.schedulerFileFor(fillIn(this.#options.schedulerFile, identity.runKey), identity)
    refuseControl('the scheduler file', schedulerFile, 'see what sets the id of the job')
    this.#secure = await SecureRun.of(this.#options, identity, this.reaper)
    const options = this.#secure?.optionsFor(this.#options) ?? this.#options
    this.#run = { ...context, options, logger: this.#logger, identity, roles, schedulerFile }
    // They are mostly the same in all processes; doctor tells of each.
    if (identity.rank === 0)
      for (const warning of identity.share.warnings ?? []) this.#logger.warn(`${warning}: it does not count`)
    this.#hosted = new LocalComponents(this.#run, this.reaper)
    this.#membership = new Membership(this.#run, {
      onTerminate: (signal) => {
        this.interrupt(signal)
      },
      onForced: () => this.#hosted?.kill(),
    })
    return this.#run
  }

  /** Rank 0: say where it listens, start the scheduler, publish. */
  async #gather(run: RunContext, mine: readonly Role[]): Promise<void> {
    const making = mine.includes('scheduler') ? this.#secure?.make(run) : undefined
    making?.catch(() => undefined)
    const { Hub } = await import('./hub.ts')
    const hub = await Hub.open(run)
    this.#hub = hub
    this.#member.attach(hub.link)
    this.#leaveToReaper(hub, run)
    if (this.#isCallers && run.identity.size > 1) await hub.setHeartbeatThread(this.#body.startHeartbeat(hub.record, 0))
    await this.announce(hub.record, run)
    this.#leaveDirectoriesToReaper(hub, run)
    this.#waitForOthers(hub, run)
    if (making !== undefined) await this.#giveCertificates(await making)
    const { scheduler, versions } = mine.includes('scheduler')
      ? await this.#startScheduler(run)
      : { scheduler: await this.findExisting(run), versions: undefined }
    this.#starting.signal.throwIfAborted()
    this.#file = hub.announce(scheduler, versions)
    await this.publish(this.#file, run)
    hub.coordinator.publish(this.#file)
    const workers = this.nWorkers === 1 ? '1 worker' : `${this.nWorkers} workers`
    const dask = versions === undefined ? '' : `, ${formatVersions(versions)} of ${await this.#hosts.python}`
    this.#logger.info(`cluster at ${scheduler.address}, ${workers} to come${dask}, scheduler file ${run.schedulerFile}`)
    logWithoutClient(run)
    void logOpenPorts(scheduler, run)
    void logDashboard(scheduler, run)
    if (this.#options.scheduler) void hub.mark()
  }

  /** Process 0 keeps the certificates of the run, and gives them to the others. */
  async #giveCertificates(material: TlsMaterial): Promise<void> {
    await this.#secure?.keep(material)
    this.#hub?.giveCertificates(material)
  }

  /**
   * Gets the certificates of an existing cluster, where this run is to add workers to it securely.
   *
   * @throws RunnerError ERR_ENVIRONMENT where one of the two is secure and the other is not.
   */
  protected async takeCertificatesOf(file: SchedulerFile, run: RunContext): Promise<void> {
    if (this.#secure !== undefined) await this.#giveCertificates(await certificatesOfOther(file, run))
    else if (file.dask_hpc_runner?.secure === true && tlsOf(run.options) === undefined)
      throw new RunnerError(
        `Cannot join the cluster at ${file.address}: it was started with --secure; add it here too`,
        {
          code: 'ERR_ENVIRONMENT',
        },
      )
  }

  #waitForOthers({ coordinator }: Hub, run: RunContext): void {
    waitForOthers(coordinator, {
      run,
      whyNobodyComes: async () => {
        if (coordinator.hosts.size > 1) return undefined
        const error = await this.whyNobodyComes(run)
        return error === undefined ? undefined : this.#failureOf(error)
      },
      lookForEarlyExits: () => {
        void this.#lookForEarlyExits(coordinator, run)
      },
      over: this.#member.verdict,
    })
  }

  async #lookForEarlyExits(coordinator: Coordinator, run: RunContext): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      for (const exit of await this.earlyExits(run, coordinator.missing)) coordinator.depart(exit)
    } catch (error) {
      run.logger.warn(messageOf(error))
    } finally {
      this.#isLooking = false
    }
  }

  /** What is to be removed even where this process is killed. */
  #leaveToReaper(hub: Hub, run: RunContext): void {
    const { files, note } = this.leavings(run)
    if (note !== undefined) this.reaper.setNote(note)
    for (const path of files) this.reaper.addFile(path, hub.record.nonce)
  }

  /** Another process may claim to be rank 0 of this run: the run's directory is that one's, unless we could announce ourselves. */
  #leaveDirectoriesToReaper(hub: Hub, run: RunContext): void {
    const { directories } = this.leavings(run)
    // Until then, what stands there tells a process that comes late that its run is gone.
    void hub.coordinator.everybodyCame.then(() => {
      for (const directory of directories) this.reaper.addDirectory(directory)
    })
  }

  /** Every other process: wait for what process 0 publishes, and join it. Then it can tell of its certificates that they are `unusable`. */
  async #follow(run: RunContext, unusable: Error | undefined): Promise<void> {
    const { found, unanswered } = await meet({
      lookUp: async (dead, signal) => {
        const what = run.options.scheduler ? 'publish' : 'find the cluster of'
        const waiting = `waiting for process 0, which is to ${what} ${run.schedulerFile}`
        using _progress = showProgress(run, () => (dead.size === 0 ? waiting : 'trying to connect to process 0'))
        return await this.lookUp({ ...run, signal }, dead)
      },
      join: async (gatherer, patience, signal) => {
        await this.#member.join(gatherer, { patience, signal })
        if (this.#isCallers) this.#body.startHeartbeat(gatherer, run.identity.rank)
      },
      limit: (why) => this.#joinLimit(why, run),
      logger: run.logger,
      signal: run.signal,
    })
    if (found.kind === 'outcome') {
      await this.leaveEarlyExit(run)
      throw this.#whyOver(found.outcome, run, unanswered)
    }
    if (unusable !== undefined) throw unusable
    this.#file = found.kind === 'cluster' ? found.file : await this.#member.cluster()
    if (this.#secure !== undefined) await this.#secure.keep(await this.#member.certificates())
    await this.#member.unlessOver(checkReach(this.#file, run))
    this.#logger.info(`joined the run of process 0 on ${this.#file.dask_hpc_runner.host}`)
  }

  /** How long a process 0 is tried that cannot be joined for that reason: a slow network is no end, silence and its absence are. */
  #joinLimit(error: unknown, { options: { rendezvousTimeout, lostAfter } }: RunContext): number {
    const replacement = Math.min(rendezvousTimeout, this.replacementTime())
    switch (error instanceof NotReachedError ? error.why : undefined) {
      case 'refused':
      case 'not ours':
      case 'no address':
        return replacement
      case 'silent':
        return Math.max(lostAfter, replacement)
      default:
        return rendezvousTimeout
    }
  }

  #whyOver({ failure }: OutcomeRecord, { roles, identity }: RunContext, unanswered: unknown): Error {
    if (failure === undefined && roles[identity.rank]?.includes('client') === true)
      return unanswered instanceof Error
        ? unanswered
        : new RunnerError('Cannot run the client program: the run was over before this process had joined it', {
            code: 'ERR_COMPONENT_LOST',
          })
    return new RunIsOver({ status: failure?.status ?? 0, forced: false, ...(failure && { failure }) })
  }

  async #startScheduler(run: RunContext): Promise<RunningScheduler> {
    await this.beforeSchedulerStart(run)
    const process = await this.#hosts.startScheduler()
    const running = await schedulerRuns(process, run)
    void process.exited.then((exit) => {
      const message = `The scheduler on ${run.identity.host} ${formatExit(exit)}`
      void this.#onSchedulerEnd(shellStatus(exit), message, process.tail)
    })
    await this.onSchedulerStart(run, running.scheduler)
    return running
  }

  async #startWorkers(run: RunContext): Promise<void> {
    await this.beforeWorkerStart(run)
    const link = this.#member.line
    if (link === undefined) return
    this.#workers = new Workers({
      run,
      link,
      hosted: this.#hosts,
      isInterrupted: () => this.#options.workerCommand !== undefined && this.#endingSignal !== undefined,
      onStart: async (name) => {
        await this.onWorkerStart(run, name)
      },
    })
    await this.#workers.start(this.schedulerAddress)
  }

  #startClient(command: readonly [string, ...string[]]): void {
    if (this.#endingSignal !== undefined) {
      this.#member.send({ type: 'ended', status: signalStatus(this.#endingSignal) })
      return
    }
    const client = this.#hosts.startClient(command, this)
    void client.exited.then(async (exit) => {
      if (client.whyNotStarted !== undefined)
        this.#logger.error(`Cannot start the client program: ${client.whyNotStarted}`)
      else if (exit.signal !== null && this.#phase === 'running' && exit.signal !== this.#endingSignal)
        this.#logger.error(`The client program on ${this.#context.identity.host} ${formatExit(exit)}`)
      await this.#interruption.saved
      this.#member.send({ type: 'ended', status: shellStatus(exit) })
    })
  }

  // The caller's code is the client.

  #handOver(): void {
    this.#member.line?.unref()
    this.#hub?.unref()
    this.#hosts.unref()
    this.#body.begin()
    void this.#member.verdict.then(async ({ failure, status }) => {
      if (this.#closing !== undefined) return
      const cause = failure === undefined ? new Error('The run has ended') : errorOf(failure)
      await this.#body.end(cause, failure?.status ?? status, this.#logger)
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
    await this.#body.stopHeartbeat()
    if (this.#run === undefined || this.#phase === 'ended') return
    const keepAlive = setInterval(() => undefined, 1_000)
    try {
      const interrupted = this.#endingSignal === undefined ? undefined : signalStatus(this.#endingSignal)
      this.#member.send({ type: 'ended', status: interrupted ?? Number(process.exitCode ?? 0) })
      const verdict = await this.#member.verdict
      const status = await this.#end(verdict)
      const wanted = verdict.failure === undefined ? interrupted : status
      if (wanted !== undefined) process.exitCode ??= wanted
    } finally {
      clearInterval(keepAlive)
    }
  }

  /** The caller's code has called `process.exit` or thrown: say so, with what can still be done at once. */
  readonly #onProcessExit = (status: number): void => {
    if (this.#phase === 'ended' || this.#run === undefined) return
    this.#member.send({ type: 'ended', status })
    if (this.#hub !== undefined) this.publishOutcomeAtOnce(this.#outcome(undefined), this.#run)
    this.reaper.cancelNote()
    this.#hosts.kill()
  }

  // Signals, loss and the end.

  get #clientPart(): ClientPart {
    const program = this.#hosted?.client
    if (program !== undefined) return { kind: 'program', program }
    if (this.#body.hasBegun) return { kind: 'body', end: this.#endBodyBy }
    if (this.#hostsClient) return { kind: 'to come' }
    return { kind: this.#standsForClient ? 'stand-in' : 'none' }
  }

  readonly #endBodyBy = async (signal: EndingSignal): Promise<void> => {
    await this.#body.end(new InterruptedError(signal), signalStatus(signal), this.#logger)
  }

  async #onSchedulerEnd(status: number, message: string, lastLines: readonly string[]): Promise<void> {
    const hub = this.#hub
    if (hub === undefined || this.#phase === 'ending' || this.#phase === 'ended') return
    hub.coordinator.schedulerEnded()
    const error = new RunnerError(message, { code: 'ERR_COMPONENT_LOST', lastLines })
    if (this.#phase === 'starting') {
      this.#starting.abort(error)
      return
    }
    const failure = { ...this.#failureOf(error), role: 'scheduler' }
    if (status !== 0) hub.coordinator.fail(failure)
    else if (!this.#options.client) hub.coordinator.end(0)
    else {
      // Closed by the client program itself, perhaps, which then ends too.
      this.#logger.info(`${message}: the client program has ${this.#timing.client / 1000} s to end`)
      await sleepUnref(this.#timing.client)
      hub.coordinator.fail({ ...failure, message: `${message} before the client program` })
    }
  }

  /** Something failed here: tells whoever can be told, and gives the verdict. */
  async #fail(error: unknown): Promise<RunResult> {
    this.#spareFiles.close()
    if (error instanceof RunIsOver) return error.verdict
    if (error instanceof InterruptedError && this.#hub === undefined) {
      if (this.#membership?.line !== undefined) {
        this.#tellInterruption()
        return await this.#member.verdict
      }
      if (this.#run !== undefined) await this.leaveEarlyExit(this.#run)
      return { status: signalStatus(error.signal), forced: false }
    }
    const failure = this.#failureOf(error)
    if (this.#hub !== undefined && this.#run !== undefined) {
      // Decided first: those who read the outcome leave, which must not count as the cause.
      if (error instanceof InterruptedError) this.#hub.coordinator.end(failure.status)
      else this.#hub.coordinator.fail(failure)
      const verdict = await this.#member.verdict
      this.#tellCause(verdict)
      if (this.#file === undefined || this.#phase === 'starting')
        await this.publishOutcome(this.#outcome(failure), this.#run)
      return verdict
    }
    // The run goes on without it: there is nothing to tell anybody.
    if (error instanceof RefusedError) return { status: failure.status, failure, forced: false }
    if (this.#membership?.line === undefined) {
      if (error instanceof HostLostError) this.#gatherer = 'host lost'
      else if (error instanceof RunnerError && error.code === 'ERR_TIMED_OUT') this.#gatherer = 'late'
      // Without its client a run is over; other processes it may do without.
      else if (error instanceof RunnerError && error.code === 'ERR_UNAVAILABLE' && this.#hostsClient)
        this.#gatherer = 'silent'
      if (this.#run?.identity.rank === 0) await this.endAlone(this.#outcome(failure), this.#run)
      else if (this.#run !== undefined) await this.leaveEarlyExit(this.#run, failure)
      return { status: failure.status, failure, forced: false }
    }
    this.#member.send({ type: 'failed', failure })
    return await this.#member.verdict
  }

  /** A defect ends this process, and the reaper what it hosts: all that is left to do is to say why. */
  async #failByDefect(error: unknown): Promise<void> {
    const run = this.#run
    if (run === undefined || this.#phase === 'ended') return
    const { rank, host } = run.identity
    const who = `Process ${rank} (${run.roles[rank]?.join(', ') ?? ''}) on ${host}`
    const cause = new RunnerError(`${who} ended: error of dask-hpc-runner: ${messageOf(error)}`, { code: 'ERR_BUG' })
    const line = this.#membership?.line
    if (this.#hub === undefined && line !== undefined) {
      line.send({ type: 'failed', failure: this.#failureOf(cause) })
      line.send({ type: 'done' })
      line.end()
      await line.closed
      return
    }
    const { failure } = await this.#fail(cause)
    if (this.#hub === undefined) return
    // Those who come later read it in the run's directory.
    if (this.#phase !== 'starting' && this.#hub.coordinator.missing.length > 0)
      await this.publishOutcome(this.#outcome(failure), run)
    this.reaper.cancelNote()
    await this.#hub.close()
  }

  /** A signal, to whichever process, ends one whose own code has not begun, as it would without us. */
  #isEndedBySignal(error: unknown, { failure, status }: RunResult): boolean {
    // The caller's own wish is answered.
    if (this.#options.signal?.aborted === true) return false
    return error instanceof InterruptedError || (error instanceof RunIsOver && failure === undefined && status > 128)
  }

  /** A signal has ended this process between its joining and its part in the run. */
  #tellInterruption(): void {
    const signal = this.#endingSignal ?? 'SIGTERM'
    if (this.#hostsClient) this.#member.send({ type: 'ended', status: signalStatus(signal) })
    else this.#member.send({ type: 'signal', signal, again: false })
  }

  /** Ends what this process hosts, in order, and with process 0 the run. Gives the exit status. */
  async #end(verdict: RunResult): Promise<number> {
    const from = this.#phase
    this.#phase = 'ending'
    this.#spareFiles.close()
    this.#hosted?.dismiss()
    await this.#body.stopHeartbeat()
    const run = this.#run
    const status = this.#statusOf(verdict)
    if (run !== undefined) {
      await this.#endClient(verdict)
      if (verdict.forced) this.#hosts.kill()
      if (this.#options.scheduler) await this.#workers?.stop(this.#timing.workers)
      else await this.#workers?.retire(this.#timing.workers)
      // A launcher may end everybody as soon as one ends with a failure: so each says why before it lets others end.
      this.#tellCause(verdict)
      this.#member.send({ type: 'done' })
      if (this.#hub === undefined) {
        // A workload manager may cut everybody short once a process fails: that one waits for the others.
        const linked = this.#member.line
        if (status !== 0 && linked !== undefined && from === 'running')
          await settledWithin(linked.closed, this.#timing.peers + this.#timing.scheduler * 2)
        // One process sees to it that process 0 ends too; its silence ends the wait.
        if (run.identity.rank === 1 && from === 'running') await linked?.closed
        linked?.end()
      } else await this.#endRun(this.#hub, run, verdict)
      await this.afterEnd(run, this.#member.line !== undefined)
      await this.#report(run, verdict, status)
    }
    this.reaper.cancelNote()
    await this.reaper.close()
    this.#membership?.[Symbol.dispose]()
    this.#body.forget()
    this.#ownDefects?.[Symbol.dispose]()
    this.#phase = 'ended'
    this.#tellCause(verdict)
    if (run !== undefined) await this.#releaseStep(run)
    this.#interruption[Symbol.dispose]()
    return status
  }

  async #endClient({ forced, failure }: RunResult): Promise<void> {
    const { client } = this.#hosts
    if (client === undefined) return
    if (forced) client.kill()
    else if (failure !== undefined) client.signal('SIGTERM')
    const grace = failure === undefined ? this.#timing.client : this.#timing.clientAfterFailure
    if (!(await settledWithin(client.exited, grace))) client.kill()
    await client.exited
  }

  async #endRun(hub: Hub, run: RunContext, { forced, failure }: RunResult): Promise<void> {
    await endRun(hub, {
      run,
      timing: this.#timing,
      ending: { failed: failure !== undefined, interrupted: forced || this.#endingSignal !== undefined },
      forced,
      scheduler: this.#hosts.scheduler,
      lookForEarlyExits: () => {
        void this.#lookForEarlyExits(hub.coordinator, run)
      },
      someDoubtful: () => this.someDoubtful(),
      canReleaseStep: this.canReleaseStep() && run.options.scancel,
      wakeStep: async () => {
        await this.wakeStep(run)
      },
      began: this.#began,
      interrupted: this.#interruption.happened,
      withdraw: async (somebodyMayCome) => {
        await this.withdraw(run, somebodyMayCome && !this.isOnOneHost() ? this.#outcome(failure) : undefined)
      },
    })
  }

  /** Tells the user why the run ends, once. */
  #tellCause({ failure }: Pick<RunResult, 'failure'>): void {
    if (failure === undefined || this.#hasToldCause) return
    this.#hasToldCause = true
    report(failure, standingTo(failure, this.#run, this.#membership), this.#logger)
  }

  /** Processes that are frozen or cut off would hold the step: a survivor has it ended. */
  async #releaseStep(run: RunContext): Promise<void> {
    if (!this.#options.scancel) return
    const { rank } = run.identity
    if (this.#gatherer === 'late' && rank === 1) await this.#leaveWithout(run)
    const skew = rank === 0 ? 0 : this.#member.heartbeatInterval + this.#timing.workers
    const delay = releaseDelay({ rank, silent: this.#silent, skew, lostAfter: this.#options.lostAfter })
    if (delay === undefined || (await settledWithin(this.#interruption.happened, delay))) return
    // It reads our last word, and ends the run, where it is only we who cannot reach it.
    if (this.#gatherer === 'silent' && (await this.isOver(run))) return
    await this.releaseStep(run, this.#silent)
  }

  /** Process 0 has not come: where it was stopped before its first word it wakes, and finds the others gone. */
  async #leaveWithout(run: RunContext): Promise<void> {
    await this.wakeStep(run)
    await settledWithin(this.#interruption.happened, wakingTime)
    await this.removeUnlessPublished(run)
  }

  /** Leaves the report that the user asked for: process 0 does, or the client's where that is lost. */
  async #report(run: RunContext, verdict: RunResult, status: number): Promise<void> {
    const { report: path } = this.#options
    const isReporter = this.#hub !== undefined || (this.#member.lost !== undefined && this.#hostsClient)
    if (path === undefined || !isReporter) return
    const [file, began, silent] = [this.#file, this.#began, this.#silent]
    await leaveReport(fillIn(path, run.identity.runKey), { run, verdict, status, file, began, silent })
  }

  // Small words.

  get #hostsClient(): boolean {
    return this.#run?.roles[this.#run.identity.rank]?.includes('client') === true
  }

  /** In a run without a client process 0 is the one that decides on the end. */
  get #standsForClient(): boolean {
    return this.#run?.identity.rank === 0 && !this.#run.roles.some((roles) => roles.includes('client'))
  }

  get #isCallers(): boolean {
    if (this.#options.command !== undefined || !this.#options.client) return false
    return this.#run === undefined || this.#hostsClient
  }

  /** Ranks that fell silent without having told of their end: they may still be there, frozen or cut off. */
  get #silent(): readonly number[] {
    if (this.#hub !== undefined) return this.#hub.coordinator.silent
    const isSilent =
      this.#membership?.lost === 'silent' || this.#gatherer === 'host lost' || this.#gatherer === 'silent'
    return isSilent ? [0] : []
  }

  /** The signal that ends the run, where one does. */
  get #endingSignal(): EndingSignal | undefined {
    return this.#interruption.signal
  }

  get #member(): Membership {
    if (this.#membership === undefined) throw new TypeError('Cannot use the runner: it has not started')
    return this.#membership
  }

  get #context(): RunContext {
    if (this.#run === undefined) throw new TypeError('Cannot use the runner: it has not started')
    return this.#run
  }

  get #hosts(): LocalComponents {
    if (this.#hosted === undefined) throw new TypeError('Cannot use the runner: it has not started')
    return this.#hosted
  }

  /** The client's process exits as the client did, the others with 0; after a failure all exit alike. */
  #statusOf({ status, failure }: RunResult): number {
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
      ...(this.#options.scheduler ? {} : { adds_workers: true }),
    }
  }

  #failureOf(error: unknown): Failure {
    return failureOf(error, this.#run?.identity)
  }
}
