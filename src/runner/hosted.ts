import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  childEnvironment,
  clientEnvironment,
  type ClusterPlace,
  workerEnvironment,
} from '../components/child-environment.ts'
import { ClientProgram } from '../components/client-program.ts'
import { schedulerArguments, workerArguments } from '../components/dask-arguments.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { Guardian } from '../process/guardian.ts'
import { DaskProcess } from '../python/dask-process.ts'
import { findPython } from '../python/find-python.ts'
import type { RunContext } from './context.ts'

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
    this.scheduler = await this.#start('scheduler', 'scheduler', schedulerArguments(options), this.#env)
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
    const nthreads = options.nthreads ?? (nworkers === 1 ? undefined : sharedThreads(nworkers))
    const { jobId, stepId } = identity.runKey
    const name = options.scheduler ? `${identity.rank}` : `${jobId}.${stepId}-${identity.rank}`
    const names = Array.from({ length: nworkers }, (_, i) => (nworkers === 1 ? name : `${name}-${i}`))
    this.workers = await Promise.all(
      names.map(async (name) => {
        const arguments_ = workerArguments(
          { ...options, ...(nthreads === undefined ? {} : { nthreads }) },
          { name, schedulerAddress, localDirectory },
        )
        return await this.#start('worker', `worker ${name}`, arguments_, workerEnvironment(this.#env))
      }),
    )
    return this.workers
  }

  startClient(command: readonly [string, ...string[]], place: ClusterPlace): ClientProgram {
    this.client = new ClientProgram(command, clientEnvironment(this.#env, place), this.#guardian)
    return this.client
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
    const { options, identity, signal } = this.#run
    this.#python ??= findPython(options.python, options.env, signal)
    const python = await this.#python
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
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    return this.#directory
  }
}

function sharedThreads(nworkers: number): number {
  return Math.max(1, Math.floor(availableParallelism() / nworkers))
}
