import { EventEmitter } from 'node:events'
import { onTestFinished, vi } from 'vitest'
import { RunnerError } from '../../../src/errors.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { type Role, rolesOf } from '../../../src/identity/roles.ts'
import type { RunContext } from '../../../src/identity/run-context.ts'
import type { RunnerOptions } from '../../../src/options.ts'
import type { Reaper } from '../../../src/process/reaper.ts'
import type { OutcomeRecord } from '../../../src/record/outcome-record.ts'
import type { PublishedFile } from '../../../src/record/scheduler-file.ts'
import type { EarlyExit } from '../../../src/rendezvous/rendezvous.ts'
import { coordinatorOf, type Found } from '../../../src/rendezvous/found.ts'
import { BaseRunner } from '../../../src/run/base-runner.ts'
// These are loaded when they are needed, for which no time passes here.
import '../../../src/dask/dashboard.ts'
import '../../../src/dask/scheduler-client.ts'
import '../../../src/run/open-coordinator.ts'
import '../../../src/run/recorder.ts'
import { realRunSeams, type RunSeams } from '../../../src/run/seams.ts'
import { deferred } from '../../../src/util/deferred.ts'
import { untilAborted } from '../../../src/util/wait.ts'
import type { Rendezvous } from '../../../src/rendezvous/rendezvous.ts'
import type { JobEnd, WorkloadManager } from '../../../src/run/workload-manager.ts'
import { fakeRendezvous, fakeStep } from './fake-rendezvous.ts'
import { FakeComponents } from './fake-components.ts'
import { MemoryNetwork } from './memory-network.ts'

/** Thrown where a process would have exited. */
class Exited extends Error {}

/** A whole run whose ranks are all in this process: channels and rendezvous are in memory, and nothing is started. */
export class WholeRun {
  /** What happened, in its order: `rank: what`. */
  readonly did: string[] = []
  /** What was written on standard error. */
  readonly log: string[] = []
  /** When the job ends, or why that is not known. */
  jobEnd: (signal: AbortSignal) => Promise<JobEnd> = async () =>
    await Promise.resolve({ why: 'there is no job around a test' })
  /** What rank 0 has published, once it has. */
  published: PublishedFile | undefined
  /** With which status each rank has exited. */
  readonly statuses = new Map<number, number>()
  readonly network = new MemoryNetwork()
  readonly ranks = new Map<number, Rank>()
  /** Where rank 0 listens, or how the run ended. */
  readonly found = deferred<Found>()
  readonly earlyExits: EarlyExit[] = []
  /** Resolves when all have met who must have before a program may begin. */
  met = Promise.resolve()
  /** A rank has told that rank 0 is not to be had. */
  isClaimed = false
  /** A rank has told that rank 0 has ended. */
  isLossClaimed = false
  readonly options: RunnerOptions
  readonly size: number

  constructor(size: number, options: RunnerOptions = {}) {
    this.size = size
    this.options = { command: ['true'], lostAfter: '8s', grace: '8s', dashboard: false, ...options }
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      const line = String(text).trimEnd()
      if (this.ranks.get(Number(/^\[(\d+)/.exec(line)?.[1]))?.isLost !== true) this.log.push(line)
      return true
    })
    // Each rank listens to this process.
    const most = process.getMaxListeners()
    process.setMaxListeners(0)
    onTestFinished(() => {
      write.mockRestore()
      process.setMaxListeners(most)
    })
  }

  /** Nobody finds rank 0 in its time. */
  failLookUps(): void {
    this.found.reject(new RunnerError('Cannot find the cluster: it is late', { code: 'ERR_TIMED_OUT' }))
  }

  /** A rank 0 has left word that has ended since. */
  findDead(): void {
    const control = { addresses: ['10.0.0.1'], port: 4711, network: 'net-1' }
    const owner = { nonce: 'the-nonce', host: 'node0', pid: 4711, secret: 'the-secret' }
    const record = { version: 1 as const, run_key: 'sim-7.0-r0', n_workers: 2, control, ...owner }
    this.found.resolve({ kind: 'coordinator', record })
  }

  /** Starts those ranks. @default all */
  start(ranks = Array.from({ length: this.size }, (_, rank) => rank)): void {
    for (const rank of ranks) this.ranks.set(rank, new Rank(rank, this))
  }

  rank(rank: number): Rank {
    const found = this.ranks.get(rank)
    if (found === undefined) throw new Error(`rank ${rank} has not been started`)
    return found
  }

  /** Lets time pass until something holds. @throws with what has happened, if it does not within 3 minutes of it. */
  async until(holds: () => unknown): Promise<void> {
    for (let ms = 0; ms < 180_000; ms += 50) {
      if (holds() !== undefined && holds() !== false) return
      await this.pass(50)
    }
    throw new Error(`it does not hold: ${[...this.did, ...this.log, ...this.statuses].join('\n')}`)
  }

  /** Lets so many milliseconds pass. A look at real files takes none of them, however long it takes. */
  async pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms)
    do await new Promise((next) => setImmediate(next))
    while (process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq')))
  }

  /** Until each rank that was started has exited, or was lost. Gives the statuses by rank. */
  async end(): Promise<(number | undefined)[]> {
    await this.until(() =>
      [...this.ranks.values()].every(
        ({ rank, isLost, error }) => isLost || error !== undefined || this.statuses.has(rank),
      ),
    )
    return Array.from({ length: this.size }, (_, rank) => this.statuses.get(rank))
  }

  /** Until the inline client has begun. */
  async inlineClient(): Promise<BaseRunner> {
    await this.until(() => [...this.ranks.values()].some(({ runner }) => runner !== undefined))
    return [...this.ranks.values()].find(({ runner }) => runner !== undefined)?.runner as BaseRunner
  }

  /** Until the client program runs. */
  async program(): Promise<NonNullable<FakeComponents['client']>> {
    const client = (): FakeComponents['client'] =>
      [...this.ranks.values()].find((rank) => rank.components.client)?.components.client
    await this.until(client)
    return client() as NonNullable<FakeComponents['client']>
  }

  /** What was told as an error, without what it quotes. */
  errors(): string[] {
    return this.log.filter((line) => /\] error: (?!\| )/.test(line))
  }

  /** The ranks that said something of which `text` is a part. */
  whoSaid(text: string): string[] {
    return this.log.filter((line) => line.includes(text)).map((line) => line.slice(0, line.indexOf(']') + 1))
  }
}

/** A process of the run. */
class Rank {
  readonly rank: number
  readonly signals = new EventEmitter()
  readonly components: FakeComponents
  readonly #run: WholeRun
  isLost = false
  /** Settles when it is known whether this process reaches the scheduler. */
  reach = Promise.resolve()
  /** The runner, if the client is inline and has begun. */
  runner: BaseRunner | undefined
  /** Why `start` has thrown. */
  error: unknown

  constructor(rank: number, run: WholeRun) {
    this.rank = rank
    this.#run = run
    const did = (what: string): void => {
      if (!this.isLost) run.did.push(`${rank}: ${what}`)
    }
    this.components = new FakeComponents(rank, did)
    const seams: RunSeams = {
      ...realRunSeams,
      signals: this.signals,
      makeReaper: () => fakeReaper(did),
      makeComponents: () => this.components.asComponents,
      startHeartbeatThread: () => ({ port: () => Promise.resolve(undefined), stop: () => Promise.resolve() }),
      ...run.network.seams,
      askOwner: () => Promise.resolve('gone'),
      checkReach: async () => await this.reach,
      connectScheduler: () => ({
        call: () => Promise.reject(new Error('there is no scheduler')),
        [Symbol.dispose]: () => undefined,
      }),
    }
    const exit = (status: number): never => {
      if (!this.isLost) run.statuses.set(rank, status)
      // Nobody would catch it.
      if (this.runner !== undefined) return undefined as never
      throw new Exited()
    }
    class Runner extends MemoryRunner {
      constructor() {
        super({ rank, run, did, seams, exit })
      }
    }
    Runner.start().then(
      (runner) => {
        this.runner = runner
      },
      (error: unknown) => {
        if (!(error instanceof Exited)) this.error = error
      },
    )
  }

  /** The process is killed, and nothing of it is seen any more. */
  kill(): void {
    this.isLost = true
    this.#run.network.close(this.rank)
  }

  /** Its host is frozen, or cut off. */
  cut(): void {
    this.isLost = true
    this.#run.network.cut(this.rank)
  }
}

interface MemoryRunnerOptions {
  readonly rank: number
  readonly run: WholeRun
  readonly did: (what: string) => void
  readonly seams: RunSeams
  readonly exit: (status: number) => never
}

/** A runner that publishes in memory. */
class MemoryRunner extends BaseRunner {
  readonly #options: MemoryRunnerOptions

  constructor(options: MemoryRunnerOptions) {
    super({ ...options.run.options, exit: options.exit }, options.seams)
    this.#options = options
  }

  protected override identify(): Identity {
    const runKey = { cluster: 'sim', jobId: '7', stepId: '0', restart: 0 }
    const { rank, run } = this.#options
    return { rank, size: run.size, host: `node${rank}`, nodes: 1, share: { processes: 1 }, runKey, source: 'a test' }
  }

  protected override getRoles({ rank, size }: Identity): readonly Role[] {
    return rolesOf(rank, {
      size,
      layout: 'exclusive',
      client: this.#options.run.options.client ?? true,
      scheduler: true,
    })
  }

  protected override rendezvous({ identity }: RunContext): Rendezvous {
    const { run, did } = this.#options
    const publishOutcome = async ({ failure, cluster }: OutcomeRecord): Promise<void> => {
      run.found.resolve({ kind: 'outcome', outcome: { version: 1, run_key: 'sim-7.0-r0', failure, cluster } })
      await this.#does(`published the outcome ${failure?.status ?? 0}`)
    }
    return fakeRendezvous({
      announce: async (record) => {
        run.found.resolve({ kind: 'coordinator', record })
        await this.#does('announced')
      },
      met: async () => await run.met,
      publish: async (file) => {
        await run.met
        run.published = file
        await this.#does('published')
      },
      publishOutcome,
      publishOutcomeAtOnce: () => {
        did('published the outcome at once')
      },
      endAlone: publishOutcome,
      lookUp: async (dead, signal) => {
        const found = await untilAborted(run.found.promise, signal)
        const isDead = dead.has(coordinatorOf(found)?.nonce ?? '')
        return isDead ? await untilAborted(new Promise<never>(() => undefined), signal) : found
      },
      withdraw: async (word) => this.#does(word === undefined ? 'withdrew' : 'withdrew, and left word'),
      withdrawUnpublished: async () => Promise.resolve(),
      claimCause: async () => {
        const isFirst = !run.isClaimed
        run.isClaimed = true
        return await Promise.resolve(isFirst)
      },
      claimLoss: async () => {
        const isFirst = !run.isLossClaimed && !run.rank(identity.rank).isLost
        run.isLossClaimed ||= isFirst
        return await Promise.resolve(isFirst)
      },
      leaveEarlyExit: async (failure) => {
        run.earlyExits.push({ rank: identity.rank, ...(failure && { failure }) })
        await this.#does('left word')
      },
      earlyExits: async () => await Promise.resolve(run.earlyExits),
    })
  }

  protected override workloadManager(): WorkloadManager {
    const jobEnd = async (signal: AbortSignal): Promise<JobEnd> => await this.#options.run.jobEnd(signal)
    const step = fakeStep({
      hostAnswers: async (rank) => await Promise.resolve(this.#options.run.ranks.get(rank)?.isLost !== true),
      resumeStep: async () => this.#does('woke the step'),
      terminateStep: async (absent) => this.#does(`terminated the step for ${absent.join(', ')}`),
      cancelStep: async (silent) => {
        await this.#does(`cancelled the step of ${silent.join(', ')}`)
        const { rank, run } = this.#options
        // Nobody hears of what a rank does that is cut off.
        if (run.rank(rank).isLost) return
        for (const other of run.ranks.values()) if (other.rank !== rank) other.signals.emit('SIGTERM')
      },
    })
    return { jobEnd, step }
  }

  async #does(what: string): Promise<void> {
    this.#options.did(what)
    await Promise.resolve()
  }
}

function fakeReaper(did: (what: string) => void): Reaper {
  const quiet = vi.fn()
  return {
    environment: {},
    onFailure: quiet,
    onSignal: quiet,
    ...{
      addGroup: quiet,
      removeGroup: quiet,
      addDirectory: quiet,
      addFile: quiet,
      setLock: quiet,
      setEndMarker: quiet,
    },
    cancelEndMarker: quiet,
    close: () => {
      did('cleaned up')
      return Promise.resolve()
    },
  } as unknown as Reaper
}
