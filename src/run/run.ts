import { checkPlaces, checkWorkerPorts } from '../components/check-places.ts'
import type { ClusterAddress, RunResult } from '../control/messages.ts'
import { messageOf, RunnerError } from '../errors.ts'
import { InterruptedError, type RunContext } from '../identity/run-context.ts'
import { type Exit, shellStatus, signalStatus } from '../process/exit.ts'
import { unkillableMs } from '../process/supervised.ts'
import { type AdviceKind, adviseOnScript } from '../python/script-advice.ts'
import { whyUnusable } from '../security/run-tls.ts'
import { ignoreLostOutput } from '../util/lost-output.ts'
import { untilOutputTaken } from '../util/slow-output.ts'
import { settledWithin, untilAborted } from '../util/wait.ts'
import { errorOf, RunIsOver } from './failure.ts'
import { Follower } from './follower.ts'
import { formatEnd } from './format-end.ts'
import type { RunParts } from './run-parts.ts'
import type { Part } from './part.ts'
import { type ClusterPython, ProgramPython } from './program-python.ts'
import { Rank0 } from './rank0.ts'
import { leaveReports } from './report.ts'
import { placeOf } from './shutdown.ts'

/** How long the program's start is held up for the versions of its Python, at most. */
const versionsMs = 2_000

/** Where the client program runs. */
interface ProgramPlace {
  readonly address: ClusterAddress
  readonly python: ProgramPython
}

/** The run of one process, which knows who it is: what comes after what, from the first component to the exit status. */
export class Run {
  readonly parts: RunParts
  readonly #part: Part
  /** Resolves when this process has its part of the cluster, or has failed to. */
  #completed: Promise<unknown> = Promise.resolve()

  constructor(parts: RunParts) {
    this.parts = parts
    this.#part = parts.context.identity.rank === 0 ? new Rank0(parts) : new Follower(parts)
    parts.shutdown.serve(parts)
  }

  /**
   * Hosts this process's part of the cluster, and exits with the run. Resolves only if the client is inline: then
   * that begins.
   *
   * @throws RunnerError if the client is inline, and there is no cluster to be had.
   */
  async start(): Promise<void> {
    const { context, isInline, member, supervisor } = this.parts
    let result: RunResult
    try {
      const address = await this.#join()
      // The scheduler is only coming up. An inline client waits for it: its Python imports Dask meanwhile.
      const cluster = this.#startWorkers()
      this.#completed = cluster.catch(async (error: unknown) => isInline || this.#failLate(error))
      if (isInline) await untilAborted(cluster, context.signal)
      supervisor.moveTo('running')
      if (await this.#startClient(address)) return
      result = await member.result
    } catch (caught) {
      supervisor.spareFiles.close()
      // What has ended the start is the cause, and not what failed because of that.
      const { reason } = context.signal as { reason: unknown }
      const error = reason instanceof RunnerError && !(caught instanceof RunIsOver) ? reason : caught
      result = error instanceof RunIsOver ? error.result : await this.#part.fail(error)
      if (isInline && !isEndedBySignal(error, result, context)) {
        await this.end(result)
        throw error instanceof RunIsOver && result.failure !== undefined ? errorOf(result.failure) : error
      }
    }
    const status = await this.end(result)
    await untilOutputTaken()
    return context.options.exit(status)
  }

  /** What fails beside the client program. That a signal ends the run has been answered. */
  async #failLate(error: unknown): Promise<void> {
    if (!(error instanceof RunIsOver || error instanceof InterruptedError)) await this.#part.fail(error)
  }

  async #join(): Promise<ClusterAddress> {
    const { context, rendezvous, secure } = this.parts
    // Those of a secure run are made for it.
    const hasUsersCertificates = context.options.protocol === 'tls' && secure === undefined
    if (!hasUsersCertificates) this.#preload()
    await rendezvous.prepare()
    const unusable = await this.#whyUnusable(hasUsersCertificates)
    if (hasUsersCertificates && unusable === undefined) this.#preload()
    ignoreLostOutput()
    const address = await this.#part.join(unusable)
    context.signal.throwIfAborted()
    return address
  }

  /** Why this process cannot have its part in the run as the options say. It tells rank 0 when it has joined it. */
  async #whyUnusable(hasUsersCertificates: boolean): Promise<Error | undefined> {
    const { context, mine, components } = this.parts
    try {
      await checkPlaces(context.options, mine)
      await checkWorkerPorts(context, mine)
      // A place that the user names is tried before there is a cluster. What is made this early stays if Slurm kills a whole step.
      if (mine.includes('worker') && context.options.localDirectory !== undefined) await components.ownDirectory()
    } catch (error) {
      if (error instanceof Error) return error
      throw error
    }
    return hasUsersCertificates ? await whyUnusable(context) : undefined
  }

  /** Starts what takes its time to load, while there is nothing to run yet. */
  #preload(): void {
    const { components, context, mine, isInline } = this.parts
    components.preload(mine)
    if (context.options.preloadClient && isInline) components.preloadClient()
  }

  /** Starts the workers when the scheduler listens. They have imported Dask by then, and dial once. */
  async #startWorkers(): Promise<void> {
    const { context, mine, hooks, workers } = this.parts
    const { address } = await this.#part.awaitCluster()
    if (!mine.includes('worker')) return
    await hooks.beforeWorkerStart(context)
    await workers.start(address)
  }

  /** @returns whether the client is inline, and may begin */
  async #startClient(address: ClusterAddress): Promise<boolean> {
    const { context, mine, hooks, member, shutdown } = this.parts
    if (!mine.includes('client')) return false
    const { command, waitWorkers } = context.options
    const python = command && new ProgramPython(command, context, this.#clusterPython())
    const warned = python?.warn()
    if (waitWorkers !== undefined) {
      await Promise.race([member.unlessOver(member.published), shutdown.happened])
      await member.awaitWorkers(waitWorkers, shutdown.happened)
      // There was time to find out: then it is said before the program says anything.
      if (warned !== undefined) await settledWithin(warned, versionsMs)
    }
    await hooks.beforeClientStart(context)
    if (command === undefined || python === undefined) {
      context.signal.throwIfAborted()
      return true
    }
    await this.parts.components.lookAtProgram(command)
    if (shutdown.signal === undefined) this.#startProgram(command, { address, python })
    else member.send({ type: 'ended', status: signalStatus(shutdown.signal) })
    return false
  }

  #clusterPython(): ClusterPython {
    const { components, member } = this.parts
    const versions = member.unlessOver(member.published).then((file) => file.dask_hpc_runner.versions)
    versions.catch(() => undefined)
    return { versions, path: async () => await components.python }
  }

  #startProgram(command: readonly [string, ...string[]], { address, python }: ProgramPlace): void {
    const { components, context, member, shutdown, supervisor } = this.parts
    const program = components.startClient(command, placeOf(address, context, member))
    void this.#adviseOn(command, 'waits')
    void program.exited.then(async (exit) => {
      if (program.whyNotStarted !== undefined)
        context.logger.error(`Cannot start the client program: ${program.whyNotStarted}`)
      else if (supervisor.phase === 'running' && isUnasked(exit, shutdown.signal))
        context.logger.error(`The client program on ${context.identity.host} ${formatEnd(exit, context.options)}`)
      await shutdown.saved
      const status = shellStatus(exit)
      // A program cannot do without a scheduler that this process does not reach: that is the cause then, and is told first.
      if (status !== 0) {
        await Promise.race([this.#part.reachTried?.(), shutdown.happened])
        const failed = exit.signal === null && program.whyNotStarted === undefined && supervisor.phase === 'running'
        if (failed) {
          await Promise.race([python.warnAtFailure(), shutdown.happened])
          await Promise.race([this.#adviseOn(command, 'fails'), shutdown.happened])
        }
        await new Promise((next) => setImmediate(next))
      }
      member.send({ type: 'ended', status })
    })
  }

  /** A script that was written for another way to start Dask waits for ever, or has failed: the user is told why. */
  async #adviseOn(command: readonly string[], told: AdviceKind): Promise<void> {
    const { options, schedulerFile, logger } = this.parts.context
    const advice = await adviseOnScript(command, { env: options.env, schedulerFile })
    for (const { kind, text } of advice) if (kind === told) logger.warn(text)
  }

  /** Ends what this process hosts, in order, and in rank 0 the run. Gives the exit status. */
  async end(result: RunResult): Promise<number> {
    const { context, supervisor, components, heartbeat, workers, cause, member, hooks, shutdown, log } = this.parts
    const { phase: from, timing, reaper } = supervisor
    supervisor.moveTo('ending')
    // A launcher may end everybody as soon as one ends with a failure: so whoever has to say why does so before all else.
    cause.tell(result)
    components.cancel()
    await heartbeat.stop()
    const status = this.#statusOf(result)
    await this.#endProgram(result)
    await this.#completed
    if (result.forced) components.kill()
    await workers.stop(timing.workers)
    member.send({ type: 'done' })
    await cause.settle(shutdown.happened)
    await this.#part.leave({ result, status, from })
    await hooks.afterEnd(context, member.isJoined)
    await this.#report(result, status)
    await log?.close()
    reaper.cancelEndMarker()
    await reaper.close()
    await this.#part.withdrawForRank0?.(result)
    member[Symbol.dispose]()
    supervisor.moveTo('ended')
    if (context.options.scancel) await this.#part.cancelStep()
    shutdown[Symbol.dispose]()
    return status
  }

  async #endProgram({ forced, failure }: RunResult): Promise<void> {
    const { components, supervisor } = this.parts
    const { client } = components
    if (client === undefined) return
    if (forced) client.kill()
    else if (failure !== undefined) client.signal('SIGTERM')
    const graceMs = failure === undefined ? supervisor.timing.client : supervisor.timing.clientAfterFailure
    if (!(await settledWithin(client.exited, graceMs))) client.kill()
    await settledWithin(client.exited, unkillableMs)
  }

  /** The client's process exits as the client did, the others with 0; after a failure all exit alike. */
  #statusOf({ status, failure }: RunResult): number {
    if (failure !== undefined) return failure.status
    const { roles, identity } = this.parts.context
    const reporter = Math.max(
      roles.findIndex((each) => each.includes('client')),
      0,
    )
    return identity.rank === reporter ? status : 0
  }

  /** Leaves the reports that the user asked for: rank 0 does, or the client's if that is lost. */
  async #report(result: RunResult, status: number): Promise<void> {
    const { context, supervisor, member } = this.parts
    const { report: paths } = context.options
    if (paths === undefined || !this.#part.isReporter) return
    const [file, { began }, { silent, recording }] = [member.file, supervisor, this.#part]
    await leaveReports(paths, { run: context, result, status, file, began, silent, recording })
  }

  /** A defect ends this process, and the reaper what it hosts: all that is left to do is to say why. */
  async failByDefect(error: unknown): Promise<void> {
    if (this.parts.supervisor.phase === 'ended') return
    const { rank, host } = this.parts.context.identity
    const who = `Rank ${rank} (${this.parts.mine.join(', ')}) on ${host}`
    const message = `${who} ended: error of dask-hpc-runner: ${messageOf(error)}`
    await this.#part.failByDefect(new RunnerError(message, { code: 'ERR_BUG' }))
  }

  /** The inline client exits, and nothing can be waited for. */
  exitAtOnce(): void {
    this.#part.exitAtOnce?.()
    this.parts.supervisor.reaper.cancelEndMarker()
    this.parts.components.kill()
  }

  /** Does not keep this process alive. */
  unref(): void {
    this.parts.member.unref()
    this.#part.unref?.()
    this.parts.components.unref()
  }
}

/** Whether a program ended by another signal than the one that it was sent, or because memory had run out. */
function isUnasked({ signal, outOfMemory }: Exit, asked: NodeJS.Signals | undefined): boolean {
  return outOfMemory !== undefined || (signal !== null && signal !== asked)
}

/** A signal, to whichever process, ends one whose own code has not begun, as it would without us. */
function isEndedBySignal(error: unknown, { failure, status }: RunResult, { options }: RunContext): boolean {
  // The caller's own wish is answered.
  if (options.signal?.aborted === true) return false
  return error instanceof InterruptedError || (error instanceof RunIsOver && failure === undefined && status > 128)
}
