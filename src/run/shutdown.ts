import { isatty } from 'node:tty'
import type { ClientProgram } from '../components/client-program.ts'
import { dashboardLink } from '../components/dashboard-link.ts'
import type { ClusterAddress } from '../control/messages.ts'
import type { Role } from '../identity/roles.ts'
import type { RunContext } from '../identity/run-context.ts'
import { signalStatus } from '../process/exit.ts'
import { Signals } from '../process/signals.ts'
import { deferred } from '../util/deferred.ts'
import { type EndingSignal, takeHeldSignal } from '../util/early-signals.ts'
import { monotonic } from '../util/monotonic.ts'
import { settledWithin } from '../util/wait.ts'
import type { Member } from './member.ts'
import type { Components } from './seams.ts'
import type { Supervisor } from './supervisor.ts'

/** What a signal is to end, once this process knows who it is. */
export interface ShutdownTarget {
  readonly context: RunContext
  readonly mine: readonly Role[]
  readonly components: Components
  readonly member: Member
}

/** The first signal that came to end the run. */
interface FirstSignal {
  readonly signal: EndingSignal
  /** When it came. */
  readonly at: number
  /** The run was not ending already. */
  readonly endsRun: boolean
}

/** After this share of its time a program at a terminal has TERM: on INT some ask there whether that was meant, as Jupyter does. */
const answerShare = 2 / 3

/** How this process answers the signals that end a run: the client goes first, and a second one ends all at once. */
export class Shutdown implements Disposable {
  readonly #supervisor: Supervisor
  readonly #signals: Signals
  readonly #happened = deferred<undefined>()
  #target: ShutdownTarget | undefined
  #first: FirstSignal | undefined
  #saved: Promise<void> = Promise.resolve()

  /** Takes over the signals of this process, until disposed of. */
  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor
    const { options, reaper, seams } = supervisor
    this.#signals = new Signals(this.#handlers, seams.signals)
    reaper.onSignal((signal) => {
      this.#signals.sawInTree(signal)
    })
    const held = takeHeldSignal()
    if (held !== undefined) this.interrupt(held)
    const onAbort = (): void => {
      this.interrupt('SIGTERM')
    }
    if (options.signal?.aborted === true) onAbort()
    options.signal?.addEventListener('abort', onAbort, { once: true })
  }

  /** This process knows who it is: from now on signals concern what it hosts, and rank 0 sends them too. */
  serve(target: ShutdownTarget): void {
    this.#target = target
    void target.member.terminated.then((signal) => {
      this.interrupt(signal)
    })
    void target.member.forced.then(() => {
      target.components.kill()
    })
  }

  /** The signal that ends the run, if one does. */
  get signal(): EndingSignal | undefined {
    return this.#first?.endsRun === true ? this.#first.signal : undefined
  }

  /** Resolves when a signal has come, also after the run has begun to end. */
  get happened(): Promise<unknown> {
    return this.#happened.promise
  }

  /** Resolves when the user's command for the end has ended, if it runs. */
  get saved(): Promise<void> {
    return this.#saved
  }

  /** Does what a signal to this process would do, unless the run is ending already. */
  interrupt(signal: EndingSignal): void {
    if (this.signal !== undefined || this.#supervisor.isEnding) return
    this.#signals.ending(signal, this.#handlers)
  }

  [Symbol.dispose](): void {
    this.#signals[Symbol.dispose]()
  }

  readonly #handlers = {
    onEnding: (signal: EndingSignal, again: boolean): void => {
      void (again ? this.#onSecond(signal) : this.#onFirst(signal))
    },
    onUser: (signal: NodeJS.Signals): void => {
      void this.#onUser(signal)
    },
  }

  async #onFirst(signal: EndingSignal): Promise<void> {
    const { isEnding, phase, logger } = this.#supervisor
    this.#first = { signal, at: monotonic(), endsRun: !isEnding }
    this.#happened.resolve(undefined)
    if (isEnding) return
    this.#supervisor.interruptStart(signal)
    if (phase === 'starting') logger.info(`${signal}: the run ends before it has begun`)
    else if (this.#target !== undefined) await this.#endRun(signal, this.#target)
  }

  async #onSecond(signal: EndingSignal): Promise<void> {
    const { logger } = this.#supervisor
    if (await this.#isRepeated(signal)) {
      logger.info(`${signal} came to all processes again: the grace goes on`)
      return
    }
    logger[logger.speaks ? 'warn' : 'detail'](`${signal} again: ending everything at once`)
    this.#target?.components.kill()
    this.#target?.member.send({ type: 'signal', signal, again: true })
  }

  /** The client ends first: whoever has it sees to that. */
  async #endRun(signal: EndingSignal, target: ShutdownTarget): Promise<void> {
    const { components, member, mine } = target
    const isClient = mine.includes('client')
    const standsForClient = isRank0WithoutClient(target)
    if (isClient || standsForClient) this.#saved = this.#runEndingCommand(target)
    if (components.client !== undefined) await this.#endProgram(signal, components.client)
    else if (standsForClient) {
      await this.#saved
      member.send({ type: 'ended', status: signalStatus(signal) })
    } else member.send({ type: 'signal', signal, again: false })
  }

  async #endProgram(signal: EndingSignal, program: ClientProgram): Promise<void> {
    const { logger, timing } = this.#supervisor
    const seconds = timing.client / 1000
    logger.info(`${signal}: the client program has ${seconds} s to end`)
    if (!(await this.#signals.reachedAll(signal))) program.signal(signal)
    if (await this.#endsInTime(signal, program)) return
    logger.warn(`the client program has not ended ${seconds} s after ${signal}: it is killed`)
    program.kill()
  }

  async #endsInTime(signal: EndingSignal, program: ClientProgram): Promise<boolean> {
    const { logger, timing } = this.#supervisor
    if (signal !== 'SIGINT' || !isatty(0)) return await settledWithin(program.exited, timing.client)
    const patience = timing.client * answerShare
    if (await settledWithin(program.exited, patience)) return true
    logger.info(`the client program has not ended ${patience / 1000} s after ${signal}, and gets TERM`)
    program.signal('SIGTERM')
    return await settledWithin(program.exited, timing.client - patience)
  }

  /** Slurm says TERM to a job that is preempted once more when its GraceTime is over; that is nobody's impatience. */
  async #isRepeated(signal: EndingSignal): Promise<boolean> {
    if (signal !== 'SIGTERM' || this.#first?.signal !== signal) return false
    const isInTime = monotonic() - this.#first.at < this.#supervisor.options.grace
    return isInTime && (await this.#signals.isManagers(signal))
  }

  /** The user's command for the end, where the client is; the client's end waits for it. */
  async #runEndingCommand({ components, member, context }: ShutdownTarget): Promise<void> {
    const { options, timing, logger } = this.#supervisor
    if (options.onTerminate === undefined) return
    const command = components.startEndingCommand(options.onTerminate, placeOf(await member.address, context, member))
    if (await settledWithin(command.exited, timing.client)) return
    logger.warn(`the command of --on-terminate has not ended in ${timing.client / 1000} s: it is killed`)
    command.kill()
  }

  async #onUser(signal: NodeJS.Signals): Promise<void> {
    const program = this.#target?.components.client
    if (program !== undefined && !(await this.#signals.reachedAll(signal))) program.signal(signal)
  }
}

/** In a run without a client rank 0 decides on the end. */
function isRank0WithoutClient({ context }: ShutdownTarget): boolean {
  return context.identity.rank === 0 && !context.roles.some((roles) => roles.includes('client'))
}

/** Where the cluster is, for a program. */
export function placeOf(
  { address, n_workers: nWorkers, connect_timeout: connectTimeout, own_link: hasOwn }: ClusterAddress,
  { schedulerFile, options, identity }: RunContext,
  { endTime, rank0 }: Pick<Member, 'endTime' | 'rank0'>,
): Parameters<Components['startEndingCommand']>[1] {
  const node = rank0?.host ?? identity.host
  const link = dashboardLink({ options, schedulerAddress: address, node, hasOwn })
  const place = { schedulerAddress: address, schedulerFile, nWorkers, endTime, dashboardLink: link }
  return { ...place, ...(connectTimeout && { connectTimeout }) }
}
