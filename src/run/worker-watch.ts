import { WorkerReach } from '../components/worker-reach.ts'
import { isOfCommand, workerNames } from '../components/worker-names.ts'
import type { Channel } from '../control/channel.ts'
import type { FromCoordinator, ToCoordinator } from '../control/messages.ts'
import type { SchedulerIdentity } from '../dask/answers.ts'
import { formatState, pausedWorkers, presentWorkers } from '../dask/present-workers.ts'
import { markScheduler } from '../dask/verify-scheduler.ts'
import { messageOf } from '../errors.ts'
import type { RunContext } from '../identity/run-context.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import { formatVersions, type DaskVersions } from '../record/cluster-record.ts'
import { tlsOf } from '../security/run-tls.ts'
import { shared } from '../util/shared.ts'
import { memoryAdvice } from './format-end.ts'
import { Readiness } from './readiness.ts'
import type { RunSeams } from './seams.ts'

/** A worker that has registered with the scheduler. */
export interface StartedWorker {
  readonly name: string
  readonly rank: number
  readonly host: string
  /** Undefined if they are not known. */
  readonly versions?: DaskVersions | undefined
  /** Where it listens, such as `tcp://10.0.0.3:41234`; undefined if it is not known. */
  readonly address?: string | undefined
}

/** The scheduler of the run, as this watch asks it. */
interface WatchedScheduler {
  readonly link: ReturnType<RunSeams['connectScheduler']>
  readonly versions: DaskVersions | undefined
}

/** The workers of the whole run, as rank 0 and the scheduler know them. */
export class WorkerWatch implements Disposable {
  readonly #run: RunContext
  readonly #connect: RunSeams['connectScheduler']
  readonly #readiness = new Readiness(async () => await this.#countRunning())
  readonly #reach: WorkerReach
  readonly #present = shared(async () => presentWorkers(await this.#identity()), 1_000)
  /** Versions of workers that were warned of: one worker of each is named, not hundreds. */
  readonly #strangeVersions = new Set<string>()
  #scheduler: WatchedScheduler | undefined

  constructor(run: RunContext, { connectScheduler }: Pick<RunSeams, 'connectScheduler'>) {
    this.#run = run
    this.#connect = connectScheduler
    this.#reach = new WorkerReach({
      from: run.identity.host,
      logger: run.logger,
      connect: async (address, timeout) => {
        const { DaskConnection } = await import('../dask/connection.ts')
        const tls = tlsOf(run.options)
        using _connection = await DaskConnection.open(address, { timeout, ...(tls && { tls }) })
      },
      isRegistered: async (address) => (await this.#runningAddresses()).includes(address),
    })
  }

  /** From now on there is a scheduler. */
  begin({ address }: SchedulerFile, versions: DaskVersions | undefined): void {
    this.#scheduler = { link: this.#connect(address, tlsOf(this.#run.options)), versions }
  }

  /** Leaves the run's nonce with the scheduler. What goes wrong is said when somebody uses it. */
  async mark(nonce: string): Promise<void> {
    await this.#scheduler?.link.call(async (client) => await markScheduler(client, nonce)).catch(() => undefined)
  }

  [Symbol.dispose](): void {
    this.#scheduler?.link[Symbol.dispose]()
  }

  /** Tells `channel` how many workers run until `wanted` of them do. Resolves then, or when the channel has closed. */
  async tellRunning(channel: Channel<ToCoordinator, FromCoordinator>, wanted: number): Promise<void> {
    await this.#readiness.add(channel, wanted)
  }

  /** Tells `channel` which workers there are. Whoever hears nothing asks the scheduler itself, or says that it does not answer. */
  async tellPresent(channel: Channel<ToCoordinator, FromCoordinator>): Promise<void> {
    try {
      channel.send({ type: 'present', ...(await this.#present()) })
    } catch {
      // The scheduler does not answer.
    }
  }

  /** A worker has come. Dask refuses or warns, somewhere, some time, if versions differ: says so first. */
  add(worker: StartedWorker): void {
    const { name, host, versions, address } = worker
    const ofScheduler = this.#scheduler?.versions
    if (address !== undefined && this.#run.options.scheduler) void this.#reach.add({ ...worker, address })
    if (versions === undefined || ofScheduler === undefined) return
    const [theirs, ours] = [formatVersions(versions), formatVersions(ofScheduler)]
    if (theirs === ours || this.#strangeVersions.has(theirs)) return
    this.#strangeVersions.add(theirs)
    this.#run.logger.warn(
      `worker ${name} on ${host} runs ${theirs}, the scheduler ${ours}: use one Python environment for the whole run`,
    )
  }

  /** Why the workers of a rank may have ended that ended in peace. */
  whyEnded(rank: number): string | undefined {
    return this.#reach.why(rank)
  }

  /** Warns of workers that Dask has paused because of their memory: they take no tasks, and what waits for them does not end. */
  async warnOfPaused(): Promise<void> {
    const paused = await this.#identity().then(pausedWorkers, () => undefined)
    const { logger, options } = this.#run
    if (paused !== undefined)
      logger.warn(`Dask has paused workers because of their memory: ${paused}; ${memoryAdvice(options)}`)
  }

  /** A frozen host holds its connections, so that Dask would wait for what its workers have for minutes. */
  async forget(rank: number): Promise<void> {
    const { options, identity, logger } = this.#run
    const names = workerNames(rank, { ...options, runKey: identity.runKey })
    const isLost = (worker: string): boolean =>
      names.some((name) => worker === name || (options.workerCommand !== undefined && isOfCommand(worker, name)))
    try {
      await this.#scheduler?.link.call(async (client) => {
        const { workers } = await client.identity()
        const lost = Object.entries(workers).filter(([, worker]) => isLost(String(worker.id)))
        await Promise.all(lost.map(async ([address]) => await client.unregister(address)))
      })
    } catch (error) {
      logger.warn(`the scheduler cannot be told that rank ${rank} is lost: ${messageOf(error)}`)
    }
  }

  /** The workers that do not run, by name and host, and what is known of them; `hosts`: those of the ranks that have come. */
  async formatMissing(hosts: ReadonlyMap<number, string>): Promise<string> {
    try {
      const answer = await this.#scheduler?.link.call(async (client) => await client.identity())
      const registered = new Map(
        Object.entries(answer?.workers ?? {}).map(([address, worker]) => [
          String(worker.id),
          this.#reach.whyNot(address) ?? formatState(worker),
        ]),
      )
      const ranks = this.#run.roles.flatMap((roles, rank) => (roles.includes('worker') ? [rank] : []))
      return ranks.flatMap((rank) => this.#missingOf(rank, hosts.get(rank), registered)).join(', ')
    } catch (error) {
      return messageOf(error)
    }
  }

  /** @param registered the states of workers, by name */
  #missingOf(rank: number, host: string | undefined, registered: ReadonlyMap<string, string | undefined>): string[] {
    const { options, identity } = this.#run
    const doesRun = (name: string): boolean => {
      if (options.workerCommand === undefined) return registered.get(name) === 'running'
      const running = [...registered].filter(([worker, status]) => isOfCommand(worker, name) && status === 'running')
      return running.length >= options.workersPerCommand
    }
    const names = workerNames(rank, { ...options, runKey: identity.runKey }).filter((name) => !doesRun(name))
    return names.map((name) =>
      host === undefined
        ? `worker ${name} (rank ${rank} has not come)`
        : `worker ${name} on ${host} (${registered.get(name) ?? 'not registered'})`,
    )
  }

  /** How many workers run that can be reached; of another's scheduler, on another host, all that run. */
  async #countRunning(): Promise<number> {
    const addresses = await this.#runningAddresses()
    return this.#run.options.scheduler ? await this.#reach.count(addresses) : addresses.length
  }

  async #runningAddresses(): Promise<readonly string[]> {
    const { workersTimeout: timeout } = this.#run.options
    const running = await this.#scheduler?.link.call(async (client) => await client.runningWorkers({ timeout }))
    return [...(running?.keys() ?? [])]
  }

  /** @throws Error if there is no scheduler that answers. */
  async #identity(): Promise<SchedulerIdentity> {
    if (this.#scheduler === undefined) throw new Error('there is no scheduler yet')
    return await this.#scheduler.link.call(async (client) => await client.identity())
  }
}
