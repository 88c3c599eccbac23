import { RefusedError } from '../control/join.ts'
import type { ClusterAddress, RunResult } from '../control/messages.ts'
import { NotReachedError } from '../control/open-channel.ts'
import { RunnerError } from '../errors.ts'
import { InterruptedError } from '../identity/run-context.ts'
import { signalStatus } from '../process/exit.ts'
import type { OutcomeRecord } from '../record/outcome-record.ts'
import type { PublishedFile } from '../record/scheduler-file.ts'
import { showProgress } from '../util/progress.ts'
import { settledWithin, sleep } from '../util/wait.ts'
import { isCanceller, releaseStep } from './cancel-step.ts'
import { failureOf, HostLostError, RunIsOver, outcomeOf } from './failure.ts'
import type { RunParts } from './run-parts.ts'
import { joinRun } from './join-run.ts'
import type { Part, RunEnd } from './part.ts'
import type { Step } from './workload-manager.ts'

/** How long a rank 0 that was stopped may take to publish where it is. */
const wakingMs = 4_000

/** How often a process that waits for rank 0 looks at its host, at most. */
const leastAskIntervalMs = 1_000

/** Over how long the survivors of a rank 0 spread what they ask and remove. */
const [spreadMsPerNode, longestSpreadMs] = [10, 5_000]

/** The part of every rank but 0: it looks rank 0 up, and joins it. */
export class Follower implements Part {
  readonly #run: RunParts
  /** Why rank 0 was not joined: its host does not answer, it is late, or it does not answer itself. */
  #missed: 'host lost' | 'late' | 'silent' | undefined
  /** Looks whether the scheduler is reached from here. */
  #reach: Promise<void> | undefined

  constructor(run: RunParts) {
    this.#run = run
  }

  async join(unusable: Error | undefined): Promise<ClusterAddress> {
    const { context, member, rendezvous, secure, cause } = this.#run
    const { found, whyNotJoined } = await joinRun({
      lookUp: async (dead, signal) => {
        const what = context.options.scheduler ? 'publish' : 'find the cluster of'
        const waiting = `waiting for rank 0, which is to ${what} ${context.schedulerFile}`
        using _progress = showProgress(context, () => (dead.size === 0 ? waiting : 'trying to connect to rank 0'))
        return await this.#unlessRank0IsLost(async (until) => rendezvous.lookUp(dead, until), signal)
      },
      join: async (record, patience, signal) => {
        await member.join(record, { patience, signal })
        if (this.#run.isInline) this.#run.heartbeat.start(record, context.identity.rank)
      },
      limit: (why) => this.#joinLimit(why),
      logger: context.logger,
      signal: context.signal,
    })
    if (found.kind === 'outcome') {
      // Whoever has left it has told it.
      if (found.outcome.failure !== undefined) cause.leaveToOthers()
      await rendezvous.leaveEarlyExit()
      throw this.#whyOver(found.outcome, whyNotJoined)
    }
    if (unusable !== undefined) throw unusable
    if (secure !== undefined) await secure.keep(await member.certificates())
    const address = await member.awaitAddress()
    context.logger.detail(`joined the run of rank 0 on ${member.rank0?.host ?? 'an unknown host'}`)
    return address
  }

  async awaitCluster(): Promise<PublishedFile> {
    const { context, member, rendezvous, supervisor } = this.#run
    const file = await member.awaitCluster()
    await rendezvous.hear?.(file)
    this.#reach = supervisor.seams.checkReach(file, context)
    await member.unlessOver(this.#reach)
    return file
  }

  async reachTried(): Promise<void> {
    await this.#reach?.catch(() => undefined)
  }

  /** @throws HostLostError if rank 0 cannot come, or what `work` does. */
  async #unlessRank0IsLost<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { step } = this.#run.manager
    if (step === undefined) return await work(signal)
    const over = new AbortController()
    const working = work(AbortSignal.any([signal, over.signal]))
    const lost = this.#rank0IsLost(step, over.signal)
    try {
      return await Promise.race([working, lost])
    } finally {
      over.abort(new Error('this is no longer waited for'))
      for (const each of [working, lost]) each.catch(() => undefined)
    }
  }

  /** @throws HostLostError if rank 0 cannot come, or the signal's reason; does not resolve. */
  async #rank0IsLost(step: Step, signal: AbortSignal): Promise<never> {
    const { context } = this.#run
    // The more ask, the less often each may.
    const intervalMs = Math.max(leastAskIntervalMs, context.identity.size * 5)
    for (;;) {
      await sleep(intervalMs, signal)
      for (const { failure } of await step.lostWithHost([0]))
        throw new HostLostError(failure?.message ?? 'Lost rank 0', { code: 'ERR_COMPONENT_LOST' })
    }
  }

  /** How long a rank 0 is tried that cannot be joined for that reason: a slow network is no end, silence and its absence are. */
  #joinLimit(error: unknown): number {
    const { rendezvousTimeout, lostAfter } = this.#run.context.options
    const replacement = Math.min(rendezvousTimeout, this.#run.rendezvous.replacementMs)
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

  #whyOver({ failure }: OutcomeRecord, whyNotJoined: unknown): Error {
    if (failure === undefined && this.#hostsClient)
      return whyNotJoined instanceof Error
        ? whyNotJoined
        : new RunnerError('Cannot run the client program: the run was over before this process had joined it', {
            code: 'ERR_COMPONENT_LOST',
          })
    return new RunIsOver({ status: failure?.status ?? 0, forced: false, ...(failure && { failure }) })
  }

  async fail(error: unknown): Promise<RunResult> {
    const { context, member, rendezvous, cause } = this.#run
    if (error instanceof InterruptedError) return await this.#endByInterruption(error)
    const failure = failureOf(error, context.identity)
    // The run goes on without it: there is nothing to tell anybody.
    if (error instanceof RefusedError) return { status: failure.status, failure, forced: false }
    if (member.isJoined) {
      member.send({ type: 'failed', failure })
      return await member.result
    }
    this.#missed = this.#whyMissed(error)
    // All that wait for a rank 0 which does not come find that out at the same time.
    if (isOfRank0(error) && (await rendezvous.claimCause?.()) === false) cause.leaveToOthers()
    cause.tell({ failure })
    await rendezvous.leaveEarlyExit({ ...failure, told: true })
    return { status: failure.status, failure, forced: false }
  }

  /** A signal has ended this process before its part in the run has begun. */
  async #endByInterruption(error: InterruptedError): Promise<RunResult> {
    const { member, rendezvous, shutdown } = this.#run
    if (!member.isJoined) {
      await rendezvous.leaveEarlyExit()
      return { status: signalStatus(error.signal), forced: false }
    }
    const signal = shutdown.signal ?? 'SIGTERM'
    if (this.#hostsClient) member.send({ type: 'ended', status: signalStatus(signal) })
    else member.send({ type: 'signal', signal, again: false })
    return await member.result
  }

  #whyMissed(error: unknown): 'host lost' | 'late' | 'silent' | undefined {
    if (error instanceof HostLostError) return 'host lost'
    if (!(error instanceof RunnerError)) return undefined
    if (error.code === 'ERR_TIMED_OUT') return 'late'
    // Without its client a run is over; other processes it may do without.
    return error.code === 'ERR_UNAVAILABLE' && this.#hostsClient ? 'silent' : undefined
  }

  async failByDefect(cause: Error): Promise<void> {
    const { member, context } = this.#run
    if (!member.isJoined) {
      await this.fail(cause)
      return
    }
    member.send({ type: 'failed', failure: failureOf(cause, context.identity) })
    member.send({ type: 'done' })
    member.leave()
    await member.closed
  }

  async leave({ status, from }: RunEnd): Promise<void> {
    const { member, context, supervisor } = this.#run
    const { peers, scheduler } = supervisor.timing
    if (member.isJoined && from === 'running') {
      // A workload manager may cut everybody short once a process fails: that one waits for the others.
      if (status !== 0) await settledWithin(member.closed, peers + scheduler * 2)
      // One process sees to it that rank 0 ends too; its silence ends the wait.
      if (context.identity.rank === 1) await member.closed
    }
    member.leave()
  }

  async withdrawForRank0({ failure }: RunResult): Promise<void> {
    const { context, member, rendezvous, supervisor } = this.#run
    const { localRank = 0 } = context.identity.share
    if (member.loss === 'none' || member.rank0 === undefined) return
    // Without its client a run is over. Another process may have lost rank 0 alone, and the run goes on.
    if (!this.#hostsClient) {
      if (member.loss === 'silent' || localRank > 0) return
      await sleep(Math.random() * Math.min(longestSpreadMs, context.identity.nodes * spreadMsPerNode))
      if ((await supervisor.seams.askOwner(member.rank0)) !== 'gone') return
    }
    await rendezvous.withdraw(member.allCame ? undefined : outcomeOf(context, failure, undefined))
  }

  async cancelStep(): Promise<void> {
    const { context, rendezvous, manager, member, supervisor, cause } = this.#run
    if (this.#missed === 'late' && context.identity.rank === 1) await this.#leaveWithoutRank0()
    if (this.silent.length === 0) return
    const deputyIsThere = this.#answers(member.deputy)
    const skew = member.heartbeatInterval + supervisor.timing.workers
    if (!(await isCanceller(this.#run, { silent: this.silent, skew }))) return
    // It reads our last word, and ends the run, if it is only we who cannot reach it.
    if (this.#missed === 'silent' && (await rendezvous.isOver?.()) === true && (await this.#answers(0))) return
    // Nobody comes to read the word of rank 0's end, which rank 0 cannot remove.
    if (manager.step !== undefined && this.silent.includes(0)) await rendezvous.withdraw()
    if (!(await deputyIsThere)) cause.tellForDeputy()
    await releaseStep(this.#run, this.silent)
  }

  /** Whether the host of a rank answers, if there is such a rank and that can be found out. */
  async #answers(rank: number | undefined): Promise<boolean> {
    return rank === undefined || (await this.#run.manager.step?.hostAnswers(rank)) !== false
  }

  /** Rank 0 has not come: if it was stopped before its first word it wakes, and finds the others gone. */
  async #leaveWithoutRank0(): Promise<void> {
    const { rendezvous, manager, shutdown } = this.#run
    await manager.step?.resumeStep()
    await settledWithin(shutdown.happened, wakingMs)
    await rendezvous.withdrawUnpublished()
  }

  get silent(): readonly number[] {
    const isSilent = this.#run.member.loss === 'silent' || this.#missed === 'host lost' || this.#missed === 'silent'
    return isSilent ? [0] : []
  }

  /** The client's process reports for a rank 0 that is lost. */
  get isReporter(): boolean {
    return this.#run.member.loss !== 'none' && this.#hostsClient
  }

  get #hostsClient(): boolean {
    return this.#run.mine.includes('client')
  }
}

/** Whether rank 0 could not be had. */
function isOfRank0(error: unknown): boolean {
  const isLate = error instanceof RunnerError && error.code === 'ERR_TIMED_OUT'
  return isLate || error instanceof HostLostError || error instanceof NotReachedError
}
