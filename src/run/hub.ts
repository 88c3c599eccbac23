import { randomUUID } from 'node:crypto'
import { type Channel, LocalChannel } from '../control/channel.ts'
import type { FromCoordinator, ToCoordinator } from '../control/messages.ts'
import { type HeartbeatChannel, HeartbeatMonitor, withHeartbeat } from '../control/heartbeat.ts'
import { hostOf, isLoopback, networkName } from '../util/network.ts'
import { isOfCommand, workerNames, workersOfProcess } from '../components/worker-names.ts'
import type { SchedulerIdentity } from '../dask/calls/identity.ts'
import { presentWorkers } from '../dask/present-workers.ts'
import { exitStatuses, messageOf } from '../errors.ts'
import { nameOf } from '../options.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import type { PublishedFile, SchedulerFile } from '../record/scheduler-file.ts'
import { formatVersions, type Versions } from '../record/versions.ts'
import { formatDuration } from '../util/duration.ts'
import { readPorts } from '../util/ports.ts'
import { shared } from '../util/shared.ts'
import type { TlsMaterial } from '../util/tls-material.ts'
import { Coordinator, type StartedWorker } from './coordinator.ts'
import type { HeartbeatThread } from './heartbeat-thread.ts'
import type { RunContext } from '../identity/run-context.ts'
import { markScheduler } from '../dask/verify-scheduler.ts'
import { controlAddresses, staysOnHost } from '../components/listen-address.ts'
import { Readiness } from './readiness.ts'
import { tlsOf } from '../security/run-tls.ts'
import type { RunSeams } from './seams.ts'
import { WorkerReach } from '../components/worker-reach.ts'

type HubSeams = Pick<RunSeams, 'listen' | 'connectScheduler'>
type Server = Awaited<ReturnType<RunSeams['listen']>>

/** What only process 0 has: the control server, and the knowledge of the whole run behind it. */
export class Hub {
  readonly coordinator: Coordinator
  /** Process 0's own line to the coordinator. */
  readonly link: Channel<FromCoordinator, ToCoordinator>
  readonly #run: RunContext
  readonly #server: Server
  readonly #connectScheduler: RunSeams['connectScheduler']
  readonly #pulse: HeartbeatMonitor
  readonly #readiness = new Readiness(async () => await this.#runningWorkers())
  readonly #reach: WorkerReach
  readonly #presentWorkers = shared(async () => presentWorkers(await this.#identity()), 1_000)
  #record: ClusterRecord
  readonly #lines = new Map<number, HeartbeatChannel<ToCoordinator, FromCoordinator>>()
  #scheduler: ReturnType<RunSeams['connectScheduler']> | undefined
  #versions: Versions | undefined
  #certificates: TlsMaterial | undefined

  private constructor(
    run: RunContext,
    { server, seams }: { readonly server: Server; readonly seams: HubSeams },
    record: ClusterRecord,
  ) {
    const { roles, options, logger, identity } = run
    this.#run = run
    this.#connectScheduler = seams.connectScheduler
    this.#server = server
    this.#record = record
    this.#pulse = new HeartbeatMonitor(options)
    this.#reach = new WorkerReach({
      from: identity.host,
      logger,
      connect: async (address, timeout) => {
        const { DaskConnection } = await import('../dask/connection.ts')
        const tls = tlsOf(options)
        using _connection = await DaskConnection.open(address, { timeout, ...(tls && { tls }) })
      },
      isRegistered: async (address) => (await this.#runningAddresses()).includes(address),
    })
    this.coordinator = new Coordinator({
      roles,
      logger,
      workersEach: workersOfProcess(options),
      workersPerCommand: options.workersPerCommand,
      minWorkers: options.minWorkers,
      lostAfter: options.lostAfter,
      onAwaitWorkers: (line, count, rank) => {
        this.#awaitWorkers(line, count, rank)
      },
      onGetCertificates: (line) => {
        this.#tellCertificates(line)
      },
      onListWorkers: (line) => {
        // Who hears nothing asks the scheduler itself, or says that it does not answer.
        void this.#presentWorkers().then(
          (present) => {
            line.send({ type: 'present', ...present })
          },
          () => undefined,
        )
      },
      onSilent: (rank) => {
        void this.#forgetWorkers(rank)
      },
      onWorkerStart: (worker) => {
        this.#compareVersions(worker)
        const { address } = worker
        if (address !== undefined && options.scheduler) void this.#reach.add({ ...worker, address })
      },
      whyWorkersEnd: (rank) => this.#reach.why(rank),
    })
    const [mine, theirs] = LocalChannel.pair<FromCoordinator, ToCoordinator>()
    this.link = mine
    this.coordinator.add({ rank: 0, host: identity.host, pid: process.pid, instance: record.nonce }, theirs)
  }

  /**
   * Listens for the other processes of the run.
   *
   * @throws RunnerError ERR_UNAVAILABLE where no port can be listened on.
   */
  static async open(run: RunContext, seams: HubSeams): Promise<Hub> {
    const oneHost = await staysOnHost(run)
    const { roles, identity, options } = run
    const [runKey, nonce, secret] = [formatRunKey(identity.runKey), randomUUID(), randomUUID()]
    const server = await seams.listen({
      runKey,
      nonce,
      secret,
      size: identity.size,
      ...(oneHost ? { host: '127.0.0.1' } : {}),
      ...(options.controlPort === undefined ? {} : { ports: readPorts('controlPort', options.controlPort) }),
      portsName: nameOf(options, 'controlPort'),
      onMember: (peer, hello) => {
        const line = withHeartbeat(peer, hub.#pulse)
        if (!hub.coordinator.add(hello, line)) return
        hub.#lines.set(hello.rank, line)
        hub.#tellCertificates(line)
      },
      onHeartbeatChannel: (peer, rank) => {
        hub.coordinator.addObserver(withHeartbeat(peer, hub.#pulse, () => hub.#lines.get(rank)?.heard()))
      },
      onObserver: (visitor) => {
        hub.coordinator.addObserver(visitor)
      },
    })
    const hub: Hub = new Hub(
      run,
      { server, seams },
      {
        version: 1,
        run_key: runKey,
        nonce,
        host: identity.host,
        pid: process.pid,
        control: {
          addresses: oneHost ? ['127.0.0.1'] : await controlAddresses(run),
          port: server.port,
          network: await networkName(),
        },
        secret,
        ...(options.secure ? { secure: true } : {}),
        ...(options.scheduler ? {} : { adds_workers: true }),
        n_workers: roles.filter((each) => each.includes('worker')).length * workersOfProcess(options),
      },
    )
    return hub
  }

  /** Our record, before there is a scheduler: who owns the run and how to reach it. */
  get record(): ClusterRecord {
    return this.#record
  }

  /** The certificates of the run are there: gives them to everybody who has joined, and to whoever will. */
  giveCertificates(material: TlsMaterial): void {
    this.#certificates = material
    for (const line of this.#lines.values()) this.#tellCertificates(line)
  }

  #tellCertificates(line: Channel<ToCoordinator, FromCoordinator>): void {
    if (this.#certificates !== undefined) line.send({ type: 'certificates', ...this.#certificates })
  }

  /** A thread sends our heartbeats, while our own loop runs the user's code. */
  async setHeartbeatThread(thread: Pick<HeartbeatThread, 'port'>): Promise<void> {
    const port = await thread.port()
    if (port !== undefined)
      this.#record = { ...this.#record, control: { ...this.#record.control, heartbeat_port: port } }
  }

  /** The scheduler is there: gives its file with our record in it, and tells it to everybody who has joined. */
  announce(scheduler: SchedulerFile, versions: Versions | undefined): PublishedFile {
    this.#versions = versions
    this.#scheduler = this.#connectScheduler(scheduler.address, tlsOf(this.#run.options))
    const file = {
      ...scheduler,
      dask_hpc_runner: { ...this.#recordFor(scheduler.address), ...(versions && { versions }) },
    }
    return file
  }

  /** Leaves the run's nonce with the scheduler. What goes wrong is said when somebody uses it. */
  async mark(): Promise<void> {
    await this.#scheduler?.call(async (client) => await markScheduler(client, this.record.nonce)).catch(() => undefined)
  }

  unref(): void {
    this.#server.unref()
  }

  async close(): Promise<void> {
    this.#pulse[Symbol.dispose]()
    this.#scheduler?.[Symbol.dispose]()
    await this.#server.close()
  }

  /** Our record for a scheduler at `address`: where others reach that, they reach us. */
  #recordFor(address: string): ClusterRecord {
    const host = hostOf(address)
    const { addresses } = this.record.control
    if (host === undefined || isLoopback(host)) return this.record
    return { ...this.record, control: { ...this.record.control, addresses: [...new Set([host, ...addresses])] } }
  }

  /** A frozen host holds its connections, so that Dask would wait for what its workers have for minutes. */
  async #forgetWorkers(rank: number): Promise<void> {
    const { options, identity, logger } = this.#run
    const names = workerNames(rank, { ...options, runKey: identity.runKey })
    const isLost = (worker: string): boolean =>
      names.some((name) => worker === name || (options.workerCommand !== undefined && isOfCommand(worker, name)))
    try {
      await this.#scheduler?.call(async (client) => {
        const { workers } = await client.identity()
        const lost = Object.entries(workers).filter(([, worker]) => isLost(String(worker.id)))
        await Promise.all(lost.map(async ([address]) => await client.unregister(address)))
      })
    } catch (error) {
      logger.warn(`the scheduler cannot be told that process ${rank} is lost: ${messageOf(error)}`)
    }
  }

  /** How many workers run that can be reached; of another's scheduler, on another host, all that run. */
  async #runningWorkers(): Promise<number> {
    const addresses = await this.#runningAddresses()
    return this.#run.options.scheduler ? await this.#reach.count(addresses) : addresses.length
  }

  async #runningAddresses(): Promise<readonly string[]> {
    const { workersTimeout: timeout } = this.#run.options
    const running = await this.#scheduler?.call(async (client) => await client.runningWorkers({ timeout }))
    return [...(running?.keys() ?? [])]
  }

  /** @throws Error where there is no scheduler that answers. */
  async #identity(): Promise<SchedulerIdentity> {
    if (this.#scheduler === undefined) throw new Error('there is no scheduler yet')
    return await this.#scheduler.call(async (client) => await client.identity())
  }

  /** Tells `line` of running workers; the client's process cannot go on without them. */
  #awaitWorkers(line: Channel<ToCoordinator, FromCoordinator>, count: number | null, rank: number | undefined): void {
    const { options, logger } = this.#run
    const wanted = count ?? this.record.n_workers
    const come = this.#readiness.add(line, wanted)
    if (rank === undefined) return
    if (options.scheduler) this.coordinator.need(wanted)
    let haveCome = false
    const timer = setTimeout(() => {
      void this.#formatMissing().then((missing) => {
        if (haveCome) return
        const time = formatDuration(options.workersTimeout)
        this.#fail(exitStatuses.ERR_TIMED_OUT, rank, `after ${time} not all of the ${wanted} workers run: ${missing}`)
      })
    }, options.workersTimeout)
    void come.then(() => {
      haveCome = true
      clearTimeout(timer)
    })
    logger.info(`the client program starts when ${wanted} workers run`)
  }

  #fail(status: number, rank: number, why: string): void {
    const message = `Cannot start the client program: ${why}`
    const host = this.coordinator.hostOf(rank) ?? 'unknown'
    this.coordinator.fail({ status, message, rank, role: 'client', host, last_lines: [] })
  }

  /** The workers that do not run, by name and host, and what is known of them. */
  async #formatMissing(): Promise<string> {
    const { roles, options, identity } = this.#run
    const naming = { ...options, runKey: identity.runKey }
    try {
      const answer = await this.#scheduler?.call(async (client) => await client.identity())
      const registered = new Map(
        Object.entries(answer?.workers ?? {}).map(([address, worker]) => [
          String(worker.id),
          this.#reach.whyNot(address) ?? worker.status,
        ]),
      )
      const missing = roles.flatMap((each, rank) => {
        if (!each.includes('worker')) return []
        const host = this.coordinator.hostOf(rank)
        return workerNames(rank, naming)
          .filter((name) => {
            if (options.workerCommand === undefined) return registered.get(name) !== 'running'
            const running = [...registered].filter(
              ([worker, status]) => isOfCommand(worker, name) && status === 'running',
            )
            return running.length < options.workersPerCommand
          })
          .map((name) => {
            if (host === undefined) return `worker ${name} (process ${rank} has not come)`
            const status = registered.get(name)
            return `worker ${name} on ${host} (${status ?? 'not registered'})`
          })
      })
      return missing.join(', ')
    } catch (error) {
      return messageOf(error)
    }
  }

  /** Dask refuses or warns, somewhere, some time, where versions differ: say so first. */
  #compareVersions({ name, versions, host }: StartedWorker): void {
    if (versions === undefined || this.#versions === undefined) return
    const [theirs, ours] = [formatVersions(versions), formatVersions(this.#versions)]
    if (theirs === ours) return
    this.#run.logger.warn(
      `worker ${name} on ${host} runs ${theirs}, the scheduler ${ours}: use one Python environment for the whole run`,
    )
  }
}
