import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { childEnvironment, clientEnvironment, type ClusterPlace, workerEnvironment } from './child-environment.ts'
import { ClientProgram } from './client-program.ts'
import { CommandWorker } from './command-worker.ts'
import { outputOf } from './component-output.ts'
import { schedulerArguments, workerArguments, type WorkerPlace, daskValues, namesOfFlags } from './dask-arguments.ts'
import { taskShare } from './task-share.ts'
import { fillCommand } from './worker-command.ts'
import {
  beginsWith,
  formatResources,
  ownGpus,
  tooManyGpus,
  withGpus,
  type WorkerGpus,
  workerGpus,
} from './worker-gpus.ts'
import { workerNames, workersOfProcess } from './worker-names.ts'
import { shareAmong } from './worker-resources.ts'
import { messageOf, RunnerError } from '../errors.ts'
import { makeDirectories } from '../filesystem/make-directories.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { Reaper } from '../process/reaper.ts'
import { readNodeLimits } from '../process/limits.ts'
import type { ClientProcess } from '../python/client-process.ts'
import type { DaskProcess, MemoryLoss } from '../python/dask-process.ts'
import { findProgram } from '../python/python-of-command.ts'
import { endFrozen } from '../process/stopped.ts'
import { assignRoles, type Role, rolesOf } from '../identity/roles.ts'
import { withTwins } from '../util/container-twins.ts'
import { formatDuration } from '../util/duration.ts'
import { foreignHandOnNames } from '../util/foreign-hand.ts'
import { makeOwnDirectory, type OwnDirectory } from '../util/own-directory.ts'
import { absolutePath } from '../util/surroundings.ts'
import { ownPlaceAdvice, foreignHandAdvice, temporaryPlace } from '../util/temporary-place.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { awaitRegistered } from './await-registered.ts'
import type { RunContext } from '../identity/run-context.ts'
import { freePort } from './free-port.ts'
import { listenHost } from './listen-address.ts'
import { type DaskPart, InterpreterPool } from './interpreter-pool.ts'
import { tlsOf, tlsVariables } from '../security/run-tls.ts'

/** A worker of this process, which may have to be started more than once. */
export interface WorkerPlan {
  /** Its name in the cluster. */
  readonly name: string
  /** How much memory Dask allows it, in Dask's notation. Undefined of a command that is not told. */
  readonly memoryLimit: string | undefined
  /** @param onMemoryLoss called when the worker of a nanny was killed for its memory */
  readonly start: (onMemoryLoss?: (loss: MemoryLoss) => void) => Promise<WorkerProcess>
}

/** A worker that runs: Dask's own, or a command of the user's in its place. */
export type WorkerProcess = DaskProcess | CommandWorker

/** What has been started beside the workers. */
interface Started {
  scheduler?: DaskProcess
  client?: ClientProgram
  /** The scheduler that the workers join. */
  schedulerAddress?: string
}

/** The components that this process hosts. */
export class LocalComponents {
  readonly #started: Started = {}
  readonly #workers = new Map<string, WorkerProcess>()
  readonly #run: RunContext
  readonly #reaper: Reaper
  readonly #env: NodeJS.ProcessEnv
  readonly #interpreters: InterpreterPool
  #preloadedClient: Promise<ClientProcess> | undefined
  #directory: Promise<string> | undefined

  constructor(run: RunContext, reaper: Reaper) {
    this.#run = run
    this.#reaper = reaper
    this.#env = {
      ...childEnvironment(run.options.env, { ...run.options, ofTask: run.identity.ofTask }),
      ...withTwins(tlsVariables(run.options)),
    }
    this.#interpreters = new InterpreterPool(run, reaper, this.#env)
  }

  /** Starts the interpreters of a process with these roles: they import Dask while there is nothing to run yet. */
  preload(roles: readonly Role[]): void {
    this.#interpreters.preload([
      ...(roles.includes('scheduler') ? [scheduler] : []),
      ...(roles.includes('worker') && this.#run.options.workerCommand === undefined
        ? this.#workerNames.map((name) => workerPart(name))
        : []),
    ])
  }

  /** Ends the interpreters that have nothing to run. */
  cancel(): void {
    this.#interpreters.cancel()
  }

  async startScheduler(): Promise<DaskProcess> {
    const { options } = this.#run
    const host = (await listenHost('scheduler', this.#run))?.address
    const port = await freePort('port', host, options)
    // If there is no reaper, nothing may be made.
    this.#run.signal.throwIfAborted()
    // A scheduler can do without; its workers could not.
    const directory = await this.ownDirectory().catch(() => undefined)
    const arguments_ = schedulerArguments(options, { host, port })
    const names = namesOfFlags(options, arguments_)
    const extras = { environment: {}, resources: {}, directory, values: daskValues(options), names }
    const process = await this.#interpreters.start(scheduler, arguments_, extras)
    this.#started.scheduler = process
    return process
  }

  /** This process's workers, to be started. */
  async planWorkers(schedulerAddress: string): Promise<readonly WorkerPlan[]> {
    const { options, identity } = this.#run
    this.#started.schedulerAddress = schedulerAddress
    const localDirectory = await this.ownDirectory()
    const nworkers = workersOfProcess(options)
    const roles = rolesOf(identity.rank, { ...options, size: identity.size })
    const each = shareAmong(taskShare(identity.share, readNodeLimits()), { ...options, nworkers, roles })
    if (each.short !== undefined) this.#run.logger.warn(each.short)
    const host = (await listenHost('worker', this.#run, schedulerAddress))?.address
    await freePort('workerPort', host, options)
    if (options.nanny) await freePort('nannyPort', host, options)
    const place = { schedulerAddress, localDirectory, host, ...each }
    const gpus = workerGpus(options.env, identity.share, { ...options, nworkers })
    const tooMany = gpus && tooManyGpus(gpus)
    // It is mostly the same in all processes; doctor tells of each.
    if (tooMany !== undefined && this.#isFirstWorker) this.#run.logger.warn(tooMany)
    const resources = withGpus(options.resources, gpus?.each)
    const isTold = options.workerCommand?.includes('{memory_limit}') !== false
    return this.#workerNames.map((name, i) => ({
      name,
      memoryLimit: isTold ? each.memoryLimit : undefined,
      start: async (onMemoryLoss) => {
        if (options.workerCommand !== undefined)
          return await this.#startCommand(options.workerCommand, { ...place, name }, { gpus, index: i })
        const arguments_ = workerArguments({ ...options, ...resources.given }, { ...place, name })
        const environment = withTwins(gpus?.environments[i] ?? {})
        const extras = {
          environment,
          resources: resources.offered,
          gpus: gpus && beginsWith(gpus, i),
          values: daskValues(options),
          names: namesOfFlags(options, arguments_),
        }
        const worker = await this.#interpreters.start(workerPart(name), arguments_, extras)
        if (onMemoryLoss !== undefined) worker.onMemoryLoss(onMemoryLoss)
        this.#workers.set(name, worker)
        return worker
      },
    }))
  }

  async #startCommand(
    text: string,
    place: WorkerPlace,
    { gpus, index }: { readonly gpus: WorkerGpus | undefined; readonly index: number },
  ): Promise<CommandWorker> {
    const { options, schedulerFile } = this.#run
    const { workersPerCommand: count } = options
    const { name, schedulerAddress } = place
    const tls = tlsOf(options)
    const { given, offered } = withGpus(options.resources, gpus?.each)
    const command = fillCommand(text, {
      scheduler_address: schedulerAddress,
      scheduler_file: schedulerFile,
      name,
      nthreads: String(place.nthreads),
      memory_limit: place.memoryLimit,
      local_directory: place.localDirectory,
      resources: given.resources ?? options.resources ?? formatResources(offered),
      tls_ca_file: tls?.caFile,
      tls_cert: tls?.cert,
      tls_key: tls?.key,
    })
    await this.lookAtProgram(command)
    const worker = new CommandWorker({
      name: `worker ${name}`,
      command,
      env: {
        ...workerEnvironment(this.#env),
        ...withTwins({
          DASK_SCHEDULER_ADDRESS: schedulerAddress,
          ...(gpus && ownGpus(gpus, { first: index * count, count })),
        }),
      },
      reaper: this.#reaper,
      onLines: outputOf('worker', this.#run),
      registered: async (signal) => {
        const named = text.includes('{name}') ? name : undefined
        return await awaitRegistered(this.#run, { schedulerAddress, name: named, count }, signal)
      },
    })
    endFrozen(worker, options.lostAfter)
    this.#workers.set(name, worker)
    return worker
  }

  /**
   * Looks at a program of the user's before it is started: Node would wait without an end for a filesystem that hangs.
   *
   * @throws RunnerError ERR_ENVIRONMENT where that is so.
   */
  async lookAtProgram([program]: readonly [string, ...string[]]): Promise<void> {
    await findProgram(program, this.#env, this.#run.options.filesystemTimeout)
  }

  startClient(command: readonly [string, ...string[]], place: ClusterPlace): ClientProgram {
    const client = new ClientProgram(command, clientEnvironment(this.#env, place), this.#reaper)
    this.#started.client = client
    endFrozen(client, this.#run.options.lostAfter)
    return client
  }

  /** The scheduler, once it has been started. */
  get scheduler(): DaskProcess | undefined {
    return this.#started.scheduler
  }

  /** The client program, once it has been started. */
  get client(): ClientProgram | undefined {
    return this.#started.client
  }

  /** Starts the process that a Client in this one will want, for Dask takes its time to load. */
  preloadClient(): void {
    this.#preloadedClient = this.#startClientProcess()
    // Whoever takes it is told.
    this.#preloadedClient.catch(() => undefined)
  }

  /** That process, once; from then on another one each time, as for a Client that names a Python of its own. */
  async takeClientProcess(python?: string): Promise<ClientProcess> {
    if (python !== undefined) return await this.#startClientProcess(python)
    const process = this.#preloadedClient ?? this.#startClientProcess()
    this.#preloadedClient = undefined
    return await process
  }

  /** Runs the user's command for the end of a run, beside the client program and in its environment. */
  startEndingCommand(command: string, place: ClusterPlace): ClientProgram {
    return new ClientProgram(['/bin/sh', '-c', command], clientEnvironment(this.#env, place), this.#reaper)
  }

  /** The Python that has Dask. */
  get python(): Promise<string> {
    return this.#interpreters.path
  }

  /** Orders the workers to close; kills those that have not ended after `grace` milliseconds. */
  async stopWorkers(grace: number): Promise<void> {
    await Promise.all([...this.#workers.values()].map(async (worker) => await worker.stop(grace)))
    this.#interpreters.kill()
  }

  /** Has the scheduler move what our workers hold to the others. Does not throw. */
  async retireWorkers(timeout: number): Promise<void> {
    const { workerCommand, workersPerCommand } = this.#run.options
    const numbers = workerCommand === undefined ? [] : Array.from({ length: workersPerCommand }, (_, i) => `-${i}`)
    const names = [...this.#workers.keys()].flatMap((name) => ['', ...numbers].map((number) => `${name}${number}`))
    const { schedulerAddress } = this.#started
    if (schedulerAddress === undefined || names.length === 0) return
    const tls = tlsOf(this.#run.options)
    try {
      const { SchedulerClient } = await import('../dask/scheduler-client.ts')
      using client = await SchedulerClient.connect(schedulerAddress, { ...(tls && { tls }) })
      await client.retireWorkers(names, { timeout })
    } catch (error) {
      this.#run.logger.warn(`the workers leave without handing on their data: ${messageOf(error)}`)
    }
  }

  /** Kills everything at once. */
  kill(): void {
    for (const component of this.#all) component.kill()
    this.#interpreters.kill()
  }

  /** Does not keep us alive. */
  unref(): void {
    this.#started.scheduler?.unref()
    this.#interpreters.unref()
    for (const worker of this.#workers.values()) worker.unref()
  }

  get #all(): readonly (WorkerProcess | ClientProgram)[] {
    const { client, scheduler } = this.#started
    return [client, ...this.#workers.values(), scheduler].filter((component) => component !== undefined)
  }

  async #startClientProcess(python?: string): Promise<ClientProcess> {
    const { lostAfter } = this.#run.options
    const options = { env: this.#env, reaper: this.#reaper, lostAfter, onLines: outputOf('client', this.#run) }
    return await this.#interpreters.startClient(options, python)
  }

  get #isFirstWorker(): boolean {
    const { options, identity } = this.#run
    return (
      assignRoles({ ...options, size: identity.size }).findIndex((roles) => roles.includes('worker')) === identity.rank
    )
  }

  get #workerNames(): readonly string[] {
    const { options, identity } = this.#run
    return workerNames(identity.rank, { ...options, runKey: identity.runKey })
  }

  /**
   * A directory of this process's own on its node, removed at the end. Dask imports modules from a directory in there that it would else
   * make in one of a well-known name, such as /tmp/dask-scratch-space, which may be anybody's. So nobody else may be able to
   * put another in its place.
   */
  async ownDirectory(): Promise<string> {
    this.#directory ??= this.#makeDirectory()
    return await this.#directory
  }

  async #makeDirectory(): Promise<string> {
    const { identity, options } = this.#run
    const named = options.localDirectory
    const parent = named === undefined ? await this.#temporaryPlace() : absolutePath(named)
    const { host, rank, runKey } = identity
    const path = join(parent, `dask-hpc-runner-${formatRunKey(runKey)}-${rank}-${randomUUID().slice(0, 8)}`)
    let next = named === undefined ? 'set TMPDIR to a directory of the node, or name one by' : 'name another by'
    try {
      const make = async (): Promise<OwnDirectory> => {
        if (named !== undefined) {
          // Nothing is made where it would be refused; and what is made may still be open to others, where its filesystem has it so.
          const before = await foreignHandOnNames(parent, { mayBeMissing: true })
          if (before === undefined) await makeDirectories(parent, 0o755)
          const hand = before ?? (await foreignHandOnNames(parent))
          if (hand !== undefined) {
            next = ownPlaceAdvice()
            throw new Error(foreignHandAdvice(hand))
          }
        }
        return await makeOwnDirectory(path, this.#reaper)
      }
      const { filesystemTimeout } = options
      const late = (): Error => new Error(`the filesystem has not answered for ${formatDuration(filesystemTimeout)}`)
      await withIoTimeout(make(), filesystemTimeout, late)
      return path
    } catch (cause) {
      throw new RunnerError(
        `Cannot make a directory for the workers of ${host} in "${parent}": ${messageOf(cause)}; ${next} --local-directory`,
        { code: 'ERR_ENVIRONMENT', cause },
      )
    }
  }

  /** TMPDIR, or what stands in for it, which one process of a host says. */
  async #temporaryPlace(): Promise<string> {
    const { identity, logger } = this.#run
    const { path, why } = await temporaryPlace()
    const speaks = identity.rank === 0 || (identity.nodes > 1 && identity.share.localRank === 0)
    if (why !== undefined && speaks)
      logger.warn(`the workers' files are in ${path} and not in TMPDIR: ${foreignHandAdvice(why)}`)
    return path
  }
}

const scheduler = { component: 'scheduler', name: 'scheduler' } as const

function workerPart(name: string): DaskPart {
  return { component: 'worker', name }
}
