import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import * as z from 'zod/mini'
import { localLine } from '../../control/line.ts'
import type { FromHub, ToHub } from '../../control/messages.ts'
import { Pulse, withPulse } from '../../control/pulse.ts'
import { networkName, ownAddresses } from '../../control/reach.ts'
import { ControlServer } from '../../control/server.ts'
import { Visit } from '../../control/visit.ts'
import type { WaitOptions } from '../../dask/connection.ts'
import type { SchedulerClient } from '../../dask/scheduler-client.ts'
import { defaults } from '../../defaults.ts'
import { type ClusterRecord, clusterRecordSchema } from '../../record/cluster-record.ts'
import { Readiness } from '../../runner/readiness.ts'
import { deferred } from '../../util/deferred.ts'

/** The scheduler keeps here who asks it for all that wait: the record of an {@link Asker}. */
const key = 'dask-hpc-runner-asker'
const runKey = 'wait'
/** Silence after which the one that asks counts as lost. In milliseconds. */
const lostAfter = 5_000
/** How long it may take to be reached. In milliseconds. */
const reachTimeout = 5_000
/** With one of so many questions for the workers goes another one: whether it is still we who ask. */
const questionsEach = 10
/** Between two questions for the workers, so that both kinds together are ten in a second. In milliseconds. */
const interval = defaults.workersInterval * (1 + 1 / questionsEach)

/** The record of who asks for all; undefined where the scheduler knows of nobody. */
export async function namedAsker(client: SchedulerClient, wait: WaitOptions): Promise<ClusterRecord | undefined> {
  const parsed = z.safeParse(clusterRecordSchema, await client.getMetadata(key, wait))
  return parsed.success ? parsed.data : undefined
}

/**
 * Connects to the process that asks for all, which beats: where it falls silent it counts as lost.
 *
 * @throws RunnerError where it cannot be reached.
 */
export async function visitAsker(record: ClusterRecord, { timeout, signal }: Required<WaitOptions>): Promise<Visit> {
  const reached = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(Math.min(timeout, reachTimeout)))])
  return await Visit.open(record, { signal: reached, lostAfter })
}

/** Asks the scheduler how many workers run, for this process and all that come to it meanwhile. */
export class Asker implements AsyncDisposable {
  readonly #client: SchedulerClient
  readonly #server: ControlServer
  readonly #pulse = new Pulse({ lostAfter })
  readonly #record: ClusterRecord
  readonly #readiness: Readiness
  readonly #end: number
  readonly #signal: AbortSignal
  readonly #over = deferred<undefined>()
  #questions = 0
  #running = 0

  private constructor(
    client: SchedulerClient,
    server: ControlServer,
    record: ClusterRecord,
    wait: Required<WaitOptions>,
  ) {
    this.#client = client
    this.#server = server
    this.#record = record
    this.#end = performance.now() + wait.timeout
    this.#signal = wait.signal
    this.#readiness = new Readiness(async () => await this.#ask(), { interval })
  }

  /**
   * Listens for others, and has the scheduler name us to them.
   *
   * @throws RunnerError where no port can be listened on; DaskError where the scheduler does not answer.
   */
  static async open(client: SchedulerClient, wait: Required<WaitOptions>): Promise<Asker> {
    const [nonce, secret] = [randomUUID(), randomUUID()]
    const server = await ControlServer.listen({
      ...{ runKey, nonce, secret },
      onPeer: (peer) => {
        peer.destroy()
      },
      onVisitor: (visitor) => {
        const line = withPulse<ToHub, FromHub>(visitor, asker.#pulse)
        line.onMessage((message) => {
          if (message.type === 'await-workers' && message.count !== null) void asker.#readiness.add(line, message.count)
        })
      },
    })
    const record: ClusterRecord = {
      ...{ version: 1, run_key: runKey, nonce, secret, host: hostname(), pid: process.pid, n_workers: 0 },
      control: { addresses: ownAddresses(), port: server.port, network: await networkName() },
    }
    const asker: Asker = new Asker(client, server, record, wait)
    try {
      await client.setMetadata(key, record, wait)
      return asker
    } catch (error) {
      await asker[Symbol.asyncDispose]()
      throw error
    }
  }

  get nonce(): string {
    return this.#record.nonce
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

  /** The next that comes need not try to reach us. */
  async withdraw(wait: WaitOptions): Promise<void> {
    await this.#client.setMetadata(key, null, wait)
  }

  /** Those that are left find another one to ask. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.resolve(undefined)
    this.#pulse[Symbol.dispose]()
    await this.#server.close()
  }

  async #ask(): Promise<number> {
    const wait = { timeout: Math.max(1, this.#end - performance.now()), signal: this.#signal }
    try {
      // Of several that have begun at once, the last one that the scheduler was told of goes on.
      if (++this.#questions % questionsEach === 3 && (await namedAsker(this.#client, wait))?.nonce !== this.nonce)
        this.#over.resolve(undefined)
      this.#running = (await this.#client.runningWorkers(wait)).size
      return this.#running
    } catch (error) {
      this.#over.reject(error)
      throw error
    }
  }
}
