import {
  type RunningScheduler,
  type SchedulerAddress,
  schedulerAddress,
  schedulerRuns,
} from '../components/scheduler.ts'
import type { ClusterAddress, RunResult } from '../control/messages.ts'
import { RunnerError } from '../errors.ts'
import { InterruptedError } from '../identity/run-context.ts'
import { formatRunKey } from '../identity/run-key.ts'
import { type Exit, shellStatus } from '../process/exit.ts'
import type { DaskProcess } from '../python/dask-process.ts'
import type { Recording } from '../record/run-report.ts'
import type { PublishedFile, SchedulerFile } from '../record/scheduler-file.ts'
import { formatVersions, type DaskVersions } from '../record/cluster-record.ts'
import { tlsOf } from '../security/run-tls.ts'
import type { TlsMaterial } from '../util/tls-files.ts'
import { sleepUnref } from '../util/wait.ts'
import { Absentees } from './absentees.ts'
import { isCanceller, releaseStep } from './cancel-step.ts'
import { endRun } from './end-run.ts'
import { failureOf, outcomeOf } from './failure.ts'
import { JobEndWatch } from './job-end.ts'
import { formatEnd } from './format-end.ts'
import type { Coordinator } from './coordinator.ts'
import type { RunParts } from './run-parts.ts'
import type { Part, RunEnd } from './part.ts'
import { certificatesOfOther } from './secure-run.ts'
import type { Recorder } from './recorder.ts'
import { logDashboard, logOpenPorts, logWithoutClient } from './start-message.ts'

/** A scheduler that runs; the versions of another run's are not known. */
type ClusterScheduler = Omit<RunningScheduler, 'versions'> & Partial<Pick<RunningScheduler, 'versions'>>

/** The part of rank 0: it has the coordinator, starts the scheduler, and publishes where the cluster is. */
export class Rank0 implements Part {
  readonly #run: RunParts
  /** What there is once the others may come: the coordinator, and with `--report` what records the run. */
  #open: { readonly coordinator: Coordinator; readonly recorder: Recorder | undefined } | undefined
  #jobEnd: JobEndWatch | undefined
  /** Ranks that have never come to a run that has failed. */
  #absent: readonly number[] = []
  #cluster = new Promise<PublishedFile>(() => undefined)
  #isPublished = false

  constructor(run: RunParts) {
    this.#run = run
  }

  async join(unusable: Error | undefined): Promise<ClusterAddress> {
    const { identity } = this.#run.context
    const hosts = identity.nodes === 1 ? identity.host : `${identity.nodes} hosts`
    this.#run.context.logger.info(
      `run ${formatRunKey(identity.runKey)}: ${identity.size} ${identity.size === 1 ? 'process' : 'processes'} on ${hosts}`,
    )
    if (unusable !== undefined) throw unusable
    this.#jobEnd = new JobEndWatch(this.#run)
    const { context, mine, rendezvous, secure, member } = this.#run
    const making = mine.includes('scheduler') ? secure?.make(context) : undefined
    making?.catch(() => undefined)
    const coordinator = await this.#listen()
    void this.#jobEnd.heed(coordinator)
    if (making !== undefined) await this.#giveCertificates(await making)
    if (mine.includes('scheduler')) await this.#startScheduler(coordinator)
    else {
      const scheduler = await rendezvous.findExisting(async (found) => this.#takeCertificatesOf(found))
      await this.#tellAddress(coordinator, scheduler, Promise.resolve({ scheduler }))
    }
    context.signal.throwIfAborted()
    return await member.address
  }

  async awaitCluster(): Promise<PublishedFile> {
    return await this.#cluster
  }

  /** Publishes the cluster when its scheduler runs. */
  async #publish(coordinator: Coordinator, running: Promise<ClusterScheduler>): Promise<PublishedFile> {
    const { rendezvous, member } = this.#run
    // The client may have ended, or cannot come.
    const { scheduler, versions } = await member.unlessOver(running)
    const file = coordinator.announce(scheduler, versions)
    await rendezvous.publish(file)
    this.#isPublished = true
    // Before anything is told of its workers.
    await this.#logCluster(file, versions)
    coordinator.publish(file)
    return file
  }

  /** The others may come from now on. */
  async #listen(): Promise<Coordinator> {
    const { context, rendezvous, member, heartbeat, isInline, supervisor, cause } = this.#run
    const { openCoordinator } = await import('./open-coordinator.ts')
    const recorder = await this.#makeRecorder()
    const coordinator = await openCoordinator(context, supervisor.seams, {
      tellUser: (result) => {
        cause.tell(result)
      },
      observe: (event) => recorder?.observe(event),
    })
    this.#open = { coordinator, recorder }
    member.attach(coordinator.join(), context.identity.host)
    this.#leaveToReaper(coordinator)
    const port = isInline && context.identity.size > 1 ? await heartbeat.start(coordinator.record, 0).port() : undefined
    if (port !== undefined) coordinator.setHeartbeatPort(port)
    await rendezvous.announce(coordinator.record)
    this.#leaveDirectoriesToReaper(coordinator)
    new Absentees(this.#run, coordinator).limitWaits()
    return coordinator
  }

  async #makeRecorder(): Promise<Recorder | undefined> {
    const { context, supervisor } = this.#run
    if (context.options.report === undefined) return undefined
    const { Recorder } = await import('./recorder.ts')
    return new Recorder(context, supervisor.seams, supervisor.began)
  }

  /** What is to be removed even if this process is killed. */
  #leaveToReaper(coordinator: Coordinator): void {
    const { rendezvous, supervisor } = this.#run
    const { files, endMarker } = rendezvous.cleanupList
    if (endMarker !== undefined) supervisor.reaper.setEndMarker(endMarker)
    for (const path of files) supervisor.reaper.addFile(path, coordinator.record.nonce)
  }

  /** Another process may claim to be rank 0 of this run: the run's directory is that one's, unless we could announce ourselves. */
  #leaveDirectoriesToReaper(coordinator: Coordinator): void {
    const { rendezvous, supervisor } = this.#run
    const { directories } = rendezvous.cleanupList
    // Until then, what stands there tells a process that comes late that its run is gone.
    void coordinator.everybodyCame.then(() => {
      for (const directory of directories) supervisor.reaper.addDirectory(directory)
    })
  }

  /** Keeps the certificates of the run, and gives them to the others. */
  async #giveCertificates(material: TlsMaterial): Promise<void> {
    await this.#run.secure?.keep(material)
    this.#coordinator?.giveCertificates(material)
  }

  /**
   * Gets the certificates of an existing cluster, if this run is to add workers to it securely.
   *
   * @throws RunnerError ERR_ENVIRONMENT if one of the two is secure and the other is not.
   */
  async #takeCertificatesOf(file: SchedulerFile): Promise<void> {
    const { context, secure } = this.#run
    if (secure !== undefined) await this.#giveCertificates(await certificatesOfOther(file, context))
    else if (file.dask_hpc_runner?.secure === true && tlsOf(context.options) === undefined)
      throw new RunnerError(
        `Cannot join the cluster at ${file.address}: it was started with --secure; add it here too`,
        { code: 'ERR_ENVIRONMENT' },
      )
  }

  /** Starts the scheduler, and tells everybody where it will listen. */
  async #startScheduler(coordinator: Coordinator): Promise<void> {
    const { hooks, context, components, member } = this.#run
    await hooks.beforeSchedulerStart(context)
    const process = await components.startScheduler()
    const running = this.#untilItRuns(coordinator, process)
    running.catch(() => undefined)
    const address = await member.unlessOver(schedulerAddress(process, running, context))
    await this.#tellAddress(coordinator, address, running)
  }

  /** Tells everybody where the scheduler will listen, and publishes it when it does. */
  async #tellAddress(
    coordinator: Coordinator,
    address: SchedulerAddress,
    running: Promise<ClusterScheduler>,
  ): Promise<void> {
    const { rendezvous, member } = this.#run
    this.#cluster = this.#publish(coordinator, running)
    // Whoever waits for it is told.
    this.#cluster.catch(() => undefined)
    // A scheduler that fails meanwhile is not waited for.
    await member.unlessOver(Promise.race([rendezvous.met?.(), this.#cluster]))
    coordinator.tellAddress(address)
  }

  async #untilItRuns(coordinator: Coordinator, process: DaskProcess): Promise<RunningScheduler> {
    const { hooks, context } = this.#run
    const running = await schedulerRuns(process, context)
    void process.exited.then((exit) => {
      void this.#onSchedulerEnd(coordinator, exit, process)
    })
    await hooks.onSchedulerStart(context, running.scheduler)
    return running
  }

  async #logCluster(file: PublishedFile, versions: DaskVersions | undefined): Promise<void> {
    const { context, components } = this.#run
    const { n_workers: count } = file.dask_hpc_runner
    const workers = count === 1 ? '1 worker' : `${count} workers`
    const dask = versions === undefined ? '' : `, ${formatVersions(versions)} of ${await components.python}`
    context.logger.info(
      `cluster at ${file.address}, ${workers} to come${dask}, scheduler file ${context.schedulerFile}`,
    )
    logWithoutClient(context)
    void logOpenPorts(file, context)
    void logDashboard(file, context)
  }

  async #onSchedulerEnd(coordinator: Coordinator, exit: Exit, process: DaskProcess): Promise<void> {
    const { context, supervisor } = this.#run
    if (supervisor.isEnding) return
    coordinator.schedulerEnded()
    const message = `The scheduler on ${context.identity.host} ${formatEnd(exit, context.options)}`
    const error = new RunnerError(message, { code: 'ERR_COMPONENT_LOST', lastLines: process.tail })
    if (supervisor.phase === 'starting') {
      supervisor.abandonStart(error)
      return
    }
    const failure = { ...failureOf(error, context.identity), role: 'scheduler' }
    if (shellStatus(exit) !== 0) coordinator.fail(failure)
    else if (!context.options.client) coordinator.end(0)
    // As a program of dask-jobqueue's SLURMRunner does when it needs the cluster no more.
    else if (process.clientsHadLeft) context.logger.info(`${message}: the client program goes on without the cluster`)
    else {
      // Closed by the client program itself, perhaps, which then ends too.
      const { client: graceMs } = supervisor.timing
      context.logger.info(`${message}: the client program has ${graceMs / 1000} s to end`)
      await sleepUnref(graceMs)
      coordinator.fail({ ...failure, message: `${message} before the client program` })
    }
  }

  async fail(error: unknown): Promise<RunResult> {
    const { context, rendezvous, member, cause } = this.#run
    const failure = failureOf(error, context.identity)
    if (this.#coordinator === undefined) {
      const result = { status: failure.status, failure, forced: false }
      // Before those end that read it.
      cause.tell(result)
      await rendezvous.endAlone(outcomeOf(context, failure, undefined))
      return result
    }
    // Decided first: those who read the outcome leave, which must not count as the cause.
    if (error instanceof InterruptedError) this.#coordinator.end(failure.status)
    else this.#coordinator.fail(failure)
    const result = await member.result
    if (!this.#isPublished) await rendezvous.publishOutcome(outcomeOf(context, failure, this.#coordinator.record))
    return result
  }

  async failByDefect(error: Error): Promise<void> {
    const { context, rendezvous, supervisor } = this.#run
    const isPublished = this.#isPublished
    const { failure } = await this.fail(error)
    if (this.#coordinator === undefined) return
    // Those who come later read it in the run's directory.
    if (isPublished && this.#coordinator.missing.length > 0)
      await rendezvous.publishOutcome(outcomeOf(context, failure, this.#coordinator.record))
    supervisor.reaper.cancelEndMarker()
    await this.#coordinator.close()
  }

  exitAtOnce(): void {
    const { context, rendezvous } = this.#run
    if (this.#coordinator !== undefined)
      rendezvous.publishOutcomeAtOnce?.(outcomeOf(context, undefined, this.#coordinator.record))
  }

  async leave(end: RunEnd): Promise<void> {
    this.#jobEnd?.[Symbol.dispose]()
    if (this.#coordinator !== undefined)
      this.#absent = await endRun(this.#run, this.#coordinator, new Absentees(this.#run, this.#coordinator), end)
    this.#open?.recorder?.[Symbol.dispose]()
  }

  async cancelStep(): Promise<void> {
    const { manager } = this.#run
    if (!(await isCanceller(this.#run, { silent: [...this.silent, ...this.#absent], skew: 0 }))) return
    // It kills this process as well, whose status is lost then.
    if (this.silent.length > 0) await releaseStep(this.#run, this.silent)
    else await manager.step?.terminateStep(this.#absent)
  }

  get #coordinator(): Coordinator | undefined {
    return this.#open?.coordinator
  }

  unref(): void {
    this.#coordinator?.unref()
  }

  get silent(): readonly number[] {
    return this.#coordinator?.silent ?? []
  }

  get recording(): Recording | undefined {
    return this.#open?.recorder?.recording
  }

  get isReporter(): boolean {
    return this.#coordinator !== undefined
  }
}
