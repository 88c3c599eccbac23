import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import * as z from 'zod/mini'
import { type Line, localLine } from '../../control/line.ts'
import type { FromHub, ToHub } from '../../control/messages.ts'
import { Pulse, withPulse } from '../../control/pulse.ts'
import { networkName, ownAddresses } from '../../control/reach.ts'
import { ControlServer } from '../../control/server.ts'
import { Visit } from '../../control/visit.ts'
import type { WaitOptions } from '../../dask/connection.ts'
import { presentWorkers } from '../../dask/present-workers.ts'
import { SchedulerClient } from '../../dask/scheduler-client.ts'
import { defaults } from '../../defaults.ts'
import { type ClusterRecord, clusterRecordSchema } from '../../record/cluster-record.ts'
import type { PresentWorkers } from '../../record/present-workers.ts'
import { Readiness } from '../../runner/readiness.ts'
import { deferred } from '../../util/deferred.ts'
import { monotonic } from '../../util/monotonic.ts'
import { shared } from '../../util/shared.ts'
import type { TlsFiles } from '../../util/tls-files.ts'
import { settledWithin, untilAborted } from '../../util/wait.ts'
import type { Speaker } from './meet.ts'

/** The scheduler keeps here who asks it for all that wait: the record of an {@link Asker}. */
const key = 'dask-hpc-runner-asker'
const runKey = 'wait'
/** Silence after which the one that asks counts as lost. In milliseconds. */
const lostAfter = 5_000
/** How long it may take to be reached. In milliseconds. */
const reachTimeout = 5_000
/**
 * Before the third question for the workers, and then with one of so many, goes another: whether it is
 * still we who ask. So it does after a gap of so many milliseconds: we may have been stopped.
 */
const [firstCheck, questionsEach, longestGap] = [3, 50, 2_000]
/** Between two questions for the workers, so that both kinds together are ten in a second. In milliseconds. */
const interval = defaults.workersInterval * (1 + 1 / questionsEach)
/** The same where the asker is not known to the other hosts, each of which may have one. In milliseconds. */
const aloneInterval = 1_000
/** So long the workers are known that have been listed. In milliseconds. */
const listed = 1_000

/** The record of who asks for all; undefined where the scheduler knows of nobody. */
export async function namedAsker(client: SchedulerClient, wait: WaitOptions): Promise<ClusterRecord | undefined> {
  const parsed = z.safeParse(clusterRecordSchema, await client.getMetadata(key, wait))
  return parsed.success ? parsed.data : undefined
}

/**
 * Connects to the process that asks for all, which beats: where it falls silent it counts as lost.
 *
 * @returns undefined where it cannot be reached.
 * @throws the signal's reason.
 */
export async function visitAsker(
  record: ClusterRecord,
  { timeout, signal }: Required<WaitOptions>,
): Promise<Visit | undefined> {
  const reached = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(Math.min(timeout, reachTimeout)))])
  try {
    return await Visit.open(record, { signal: reached, lostAfter })
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

/** How an asker asks. */
export interface AskerOptions {
  /** Until when, by `monotonic()`. */
  readonly end: number
  readonly signal: AbortSignal
  readonly tls?: TlsFiles | undefined
  /** Whether the other hosts are to know of it. */
  readonly known: boolean
}

/** Asks the scheduler how many workers run, for this process and all that come to it meanwhile. */
export class Asker implements AsyncDisposable {
  readonly record: ClusterRecord
  readonly #speaker: Speaker
  readonly #server: ControlServer
  readonly #options: AskerOptions
  readonly #pulse = new Pulse({ lostAfter })
  readonly #readiness: Readiness
  readonly #visitors = new Set<Line<ToHub, FromHub>>()
  readonly #present = shared(async () => await this.#list(), listed)
  readonly #over = deferred<undefined>()
  #nobodyVisits = deferred<undefined>()
  #questions = 0
  #askedAt = monotonic()
  #running: number

  private constructor(speaker: Speaker, server: ControlServer, record: ClusterRecord, options: AskerOptions) {
    this.#speaker = speaker
    this.#server = server
    this.record = record
    this.#options = options
    this.#running = speaker.present.running
    this.#readiness = new Readiness(async () => await this.#ask(), {
      interval: options.known ? interval : aloneInterval,
    })
  }

  /**
   * Listens for others.
   *
   * @throws RunnerError where no port can be listened on.
   */
  static async open(speaker: Speaker, options: AskerOptions): Promise<Asker> {
    const [nonce, secret] = [randomUUID(), randomUUID()]
    const server = await ControlServer.listen({
      ...{ runKey, nonce, secret },
      onPeer: (peer) => {
        peer.destroy()
      },
      onVisitor: (visitor) => {
        asker.#welcome(withPulse<ToHub, FromHub>(visitor, asker.#pulse))
      },
    })
    const asker: Asker = new Asker(
      speaker,
      server,
      {
        ...{ version: 1, run_key: runKey, nonce, secret, host: hostname(), pid: process.pid, n_workers: 0 },
        control: { addresses: ownAddresses(), port: server.port, network: await networkName() },
      },
      options,
    )
    return asker
  }

  /**
   * Has the scheduler name us to the other hosts.
   *
   * @throws DaskError where it does not answer.
   */
  async makeKnown(): Promise<void> {
    await this.#speaker.client.setMetadata(key, this.record, this.#wait())
  }

  /**
   * Waits for `count` workers.
   *
   * @returns how many run; undefined where another process has come to ask in our place.
   * @throws DaskError where the scheduler does not answer any more.
   */
  async waitForWorkers(count: number, onProgress: (running: number) => void): Promise<number | undefined> {
    const [mine, theirs] = localLine<FromHub, ToHub>()
    mine.onMessage((message) => {
      if (message.type === 'workers') onProgress(message.running)
    })
    try {
      await Promise.race([this.#readiness.add(theirs, count), this.#over.promise])
      return this.#running >= count ? this.#running : undefined
    } finally {
      mine.end()
    }
  }

  /**
   * Which workers there are.
   *
   * @throws RunnerError where the scheduler does not answer.
   */
  async presentWorkers(): Promise<PresentWorkers> {
    return await this.#present()
  }

  /** Resolves when nobody has come who is still there, and at the end. */
  async nobodyVisits(): Promise<void> {
    if (this.#visitors.size === 0) return
    this.#nobodyVisits = deferred()
    const { signal } = this.#options
    await settledWithin(untilAborted(this.#nobodyVisits.promise, signal), this.#wait().timeout)
    signal.throwIfAborted()
  }

  /** Those that are left find another one to ask; where nobody is, the next that comes need not try to reach us. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.resolve(undefined)
    this.#pulse[Symbol.dispose]()
    if (this.#options.known && this.#visitors.size === 0) this.#speaker.client.tellMetadata(key, null)
    await this.#server.close()
  }

  #welcome(line: Line<ToHub, FromHub>): void {
    this.#visitors.add(line)
    void line.closed.then(() => {
      this.#visitors.delete(line)
      if (this.#visitors.size === 0) this.#nobodyVisits.resolve(undefined)
    })
    line.onMessage((message) => {
      if (message.type === 'await-workers' && message.count !== null) void this.#readiness.add(line, message.count)
      if (message.type === 'list-workers')
        this.#present().then(
          (present) => {
            line.send({ type: 'present', ...present })
          },
          () => undefined,
        )
    })
  }

  async #ask(): Promise<number> {
    const { client, pace } = this.#speaker
    const { known, signal } = this.#options
    try {
      this.#questions++
      // Of several that have begun at once, the last one that the scheduler was told of goes on.
      const hasSlept = monotonic() - this.#askedAt > longestGap
      if (known && (hasSlept || this.#questions % questionsEach === firstCheck)) {
        await pace.turn(signal)
        if ((await namedAsker(client, this.#wait()))?.nonce !== this.record.nonce) {
          this.#over.resolve(undefined)
          return this.#running
        }
      }
      await pace.turn(signal)
      this.#askedAt = monotonic()
      this.#running = (await client.runningWorkers(this.#wait())).size
      return this.#running
    } catch (error) {
      this.#over.reject(error)
      throw error
    }
  }

  /** On a connection of its own, since the other one may wait for an answer. */
  async #list(): Promise<PresentWorkers> {
    const { client, pace } = this.#speaker
    const { tls } = this.#options
    pace.owe()
    using another = await SchedulerClient.connect(client.address, { ...this.#wait(), ...(tls && { tls }) })
    return presentWorkers(await another.identity(this.#wait()))
  }

  #wait(): Required<WaitOptions> {
    const { end, signal } = this.#options
    return { timeout: Math.max(1, end - monotonic()), signal }
  }
}
