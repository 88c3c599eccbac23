import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  childEnvironment,
  clientEnvironment,
  type ClusterPlace,
  workerEnvironment,
} from '../components/child-environment.ts'
import { ClientProgram } from '../components/client-program.ts'
import { schedulerArguments, workerArguments } from '../components/dask-arguments.ts'
import { shareAmong } from '../components/worker-resources.ts'
import { errnoOf, messageOf, RunnerError } from '../errors.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { Guardian } from '../process/guardian.ts'
import { affinity, cgroupMemory } from '../process/limits.ts'
import { DaskProcess } from '../python/dask-process.ts'
import { findPython } from '../python/find-python.ts'
import { findFreePort, readPorts } from '../util/ports.ts'
import type { RunContext } from './context.ts'
import { listenHost } from './listen-address.ts'

/** The components that this process hosts. */
export class Hosted {
  scheduler: DaskProcess | undefined
  workers: readonly DaskProcess[] = []
  client: ClientProgram | undefined
  readonly #run: RunContext
  readonly #guardian: Guardian
  readonly #env: NodeJS.ProcessEnv
  #python: Promise<string> | undefined
  #directory: string | undefined

  constructor(run: RunContext, guardian: Guardian) {
    this.#run = run
    this.#guardian = guardian
    this.#env = childEnvironment(run.options.env, run.options.keepMpiEnv)
  }

  async startScheduler(): Promise<DaskProcess> {
    const { options } = this.#run
    const host = await listenHost('scheduler', this.#run)
    const port = options.port === undefined ? 0 : await freePort(options.port, host)
    this.scheduler = await this.#start('scheduler', 'scheduler', schedulerArguments(options, { host, port }), this.#env)
    return this.scheduler
  }

  /**
   * Starts this process's workers. They are named by its rank, or, in a cluster that may have workers
   * of other runs, by the job, the step and the rank.
   */
  async startWorkers(schedulerAddress: string): Promise<readonly DaskProcess[]> {
    const { options, identity } = this.#run
    const { nworkers } = options
    const localDirectory = options.localDirectory ?? (await this.#localDirectory())
    const { jobId, stepId } = identity.runKey
    const name = options.scheduler ? `${identity.rank}` : `${jobId}.${stepId}-${identity.rank}`
    const names = Array.from({ length: nworkers }, (_, i) => (nworkers === 1 ? name : `${name}-${i}`))
    const share = shareAmong(nworkers, {
      affinity: affinity(),
      cgroupMemory: cgroupMemory(),
      processes: identity.share.processes,
      share: identity.share,
    })
    const place = {
      schedulerAddress,
      localDirectory,
      host: options.listenAddress === undefined ? await listenHost('worker', this.#run) : undefined,
      nthreads: options.nthreads ?? share.nthreads,
      memoryLimit: options.memoryLimit ?? share.memoryLimit,
    }
    this.workers = await Promise.all(
      names.map(async (each) => {
        const arguments_ = workerArguments(options, { ...place, name: each })
        return await this.#start('worker', `worker ${each}`, arguments_, workerEnvironment(this.#env))
      }),
    )
    return this.workers
  }

  startClient(command: readonly [string, ...string[]], place: ClusterPlace): ClientProgram {
    this.client = new ClientProgram(command, clientEnvironment(this.#env, place), this.#guardian)
    return this.client
  }

  /** The Python that has Dask. */
  get python(): Promise<string> {
    const { options, signal } = this.#run
    this.#python ??= findPython(options.python, options.env, signal)
    return this.#python
  }

  /** Orders the workers to close; kills those that have not ended after `grace` milliseconds. */
  async stopWorkers(grace: number): Promise<void> {
    await Promise.all(this.workers.map(async (worker) => await worker.stop(grace)))
  }

  /** Kills everything at once. */
  kill(): void {
    for (const component of this.#all) component.kill()
  }

  /** Does not keep us alive. */
  unref(): void {
    this.scheduler?.unref()
    for (const worker of this.workers) worker.unref()
  }

  get #all(): readonly (DaskProcess | ClientProgram)[] {
    return [this.client, ...this.workers, this.scheduler].filter((component) => component !== undefined)
  }

  async #start(
    component: 'scheduler' | 'worker',
    name: string,
    arguments_: readonly string[],
    env: NodeJS.ProcessEnv,
  ): Promise<DaskProcess> {
    const { identity, signal } = this.#run
    const python = await this.python
    signal.throwIfAborted()
    const prefix = `[${identity.rank} ${component}]`
    return new DaskProcess({
      python,
      component,
      name,
      arguments: arguments_,
      env,
      guardian: this.#guardian,
      onLine: (line, stream) => {
        process[stream].write(`${prefix} ${line}\n`)
      },
    })
  }

  /** A directory of this process's own on its node, removed at the end. */
  async #localDirectory(): Promise<string> {
    const { identity } = this.#run
    if (this.#directory === undefined) {
      const name = `dask-hpc-runner-${formatRunKey(identity.runKey)}-${identity.rank}-${randomUUID().slice(0, 8)}`
      this.#directory = join(tmpdir(), name)
      // The guardian first, so that at no moment there is a directory that nobody would remove.
      this.#guardian.addDirectory(this.#directory)
    }
    try {
      await mkdir(this.#directory, { mode: 0o700 })
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST')
        throw new RunnerError(
          `Cannot make a directory for the workers of ${identity.host} in "${tmpdir()}": ${messageOf(cause)}; ` +
            'set TMPDIR to a directory of the node, or name one by --local-directory',
          { code: 'ERR_ENVIRONMENT', cause },
        )
    }
    return this.#directory
  }
}

async function freePort(ports: string, host: string | undefined): Promise<number> {
  const port = await findFreePort(readPorts('port', ports), host)
  if (port !== undefined) return port
  throw new RunnerError(`Cannot start the scheduler: something listens on port ${ports} already`, {
    code: 'ERR_UNAVAILABLE',
  })
}
