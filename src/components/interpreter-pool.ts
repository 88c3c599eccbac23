import { workerEnvironment } from './child-environment.ts'
import { outputOf } from './component-output.ts'
import type { Reaper } from '../process/reaper.ts'
import { endFrozen } from '../process/stopped.ts'
import { ClientProcess, type ClientProcessOptions } from '../python/client-process.ts'
import { DaskProcess, type StartExtras } from '../python/dask-process.ts'
import { isInEnvironment } from '../python/environment-runner.ts'
import { type PythonAnswer, findPython, startInPython } from '../python/find-python.ts'
import { ForkServer } from '../python/fork-server.ts'
import type { BootstrapOptions } from '../python/start-bootstrap.ts'
import { untilAborted } from '../util/wait.ts'
import type { RunContext } from '../identity/run-context.ts'
import { showProgress } from '../util/progress.ts'

/** A Dask process of ours, by what it becomes. */
export type DaskPart =
  | { readonly component: 'scheduler'; readonly name: 'scheduler' }
  /** Its name in the cluster. */
  | { readonly component: 'worker'; readonly name: string }

/** Starts `python` for something; `quiet`: nothing is passed on of what it says if it has no Dask. */
type StartPython = (
  python: string,
  quiet?: boolean,
) => { readonly answer: (timeout: number) => Promise<PythonAnswer>; readonly kill: () => void }

/**
 * The interpreters in which the Dask components of this process run. They import Dask while there is nothing
 * to run yet; several workers are forked from one.
 */
export class InterpreterPool {
  readonly #run: RunContext
  readonly #reaper: Reaper
  readonly #env: NodeJS.ProcessEnv
  /** Aborts with the run's start, or when nothing will be run any more. */
  readonly #signal: AbortSignal
  readonly #cancellation = new AbortController()
  #path: Promise<string> | undefined
  /** Those that have not been told yet what to run. */
  readonly #preloaded = new Map<string, DaskProcess>()
  /** What the workers are forked from; `ready` gives it if it can fork, and is asked for by the first worker. */
  #forks: { readonly server: ForkServer; ready?: Promise<ForkServer | undefined> } | undefined

  /** @param env that of the scheduler; the workers' has some additions */
  constructor(run: RunContext, reaper: Reaper, env: NodeJS.ProcessEnv) {
    this.#run = run
    this.#reaper = reaper
    this.#env = env
    this.#signal = AbortSignal.any([run.signal, this.#cancellation.signal])
  }

  /** Of programs that are asked for their Python: what they leave is found by our mark. */
  get #askingEnv(): NodeJS.ProcessEnv {
    return { ...this.#run.options.env, ...this.#reaper.environment }
  }

  /** The interpreter that has Dask: its path, or a name on PATH. */
  get path(): Promise<string> {
    this.#path ??= findPython(this.#run.options, this.#askingEnv, this.#signal)
    return this.#path
  }

  /** Has them import Dask for these parts. The first that is started says whether its Python has Dask. */
  preload(parts: readonly DaskPart[]): void {
    const [first, ...others] = this.#startsFor(parts)
    if (first === undefined) return
    const { options } = this.#run
    const asking = this.#showAsking()
    const start = (python: string): ReturnType<StartPython> => {
      asking?.[Symbol.dispose]()
      const started = first(python, true)
      const answer = async (timeout: number): Promise<PythonAnswer> => {
        using _progress = showProgress(this.#run, () => `waiting on ${this.#run.identity.host} for ${python} to start`)
        return await untilAborted(started.answer(timeout), this.#signal)
      }
      return {
        answer,
        kill: () => {
          started.kill()
        },
      }
    }
    this.#path = startInPython(options, this.#askingEnv, start, this.#signal).then(({ python }) => python)
    this.#path.then(
      (python) => {
        asking?.[Symbol.dispose]()
        if (!this.#signal.aborted) for (const start of others) start(python)
      },
      // Whoever starts something is told.
      () => asking?.[Symbol.dispose](),
    )
  }

  /** Says that uv or the like is asked for its Python, which may first make an environment. */
  #showAsking(): Disposable | undefined {
    const { command, python } = this.#run.options
    if (python !== undefined || command === undefined || !isInEnvironment(command)) return undefined
    const text = `waiting on ${this.#run.identity.host} for "${command.join(' ')}" to say which Python it runs`
    return showProgress(this.#run, () => text)
  }

  /** Runs `part` with these arguments of Dask's own command line, in a Python that has imported Dask where there is one. */
  async start(part: DaskPart, args: readonly string[], extras?: StartExtras): Promise<DaskProcess> {
    const python = await this.path
    const forked = await this.#fork(part)
    this.#signal.throwIfAborted()
    const process = forked ?? this.#preloaded.get(part.name) ?? this.#spawn(python, part)
    this.#preloaded.delete(part.name)
    process.begin(args, extras)
    return process
  }

  /**
   * Starts a process for a Client, in the Python that it has named, else in ours. If nothing else is being started here, it says
   * itself whether its Python has Dask.
   */
  async startClient(options: Omit<ClientProcessOptions, 'python' | 'quiet'>, named?: string): Promise<ClientProcess> {
    const start = (python: string): ClientProcess => new ClientProcess({ ...options, python, quiet: true })
    if (named !== undefined)
      return (await startInPython({ python: named }, this.#askingEnv, start, this.#signal)).started
    if (this.#path !== undefined) return new ClientProcess({ ...options, python: await this.#path })
    const found = startInPython(this.#run.options, this.#askingEnv, start, this.#signal)
    this.#path = found.then(({ python }) => python)
    this.#path.catch(() => undefined)
    return (await found).started
  }

  /** Ends those that have not been told what to run, and starts no more of them. */
  cancel(): void {
    this.#cancellation.abort()
    for (const process of this.#preloaded.values()) process.kill()
    this.#preloaded.clear()
    if (this.#forks?.server.isUsed === false) this.#forks.server.kill()
  }

  /** Ends what the workers were forked from, and with it what is left of them. */
  kill(): void {
    this.cancel()
    this.#forks?.server.kill()
  }

  /** Does not keep us alive. */
  unref(): void {
    this.#forks?.server.unref()
  }

  #startsFor(parts: readonly DaskPart[]): readonly StartPython[] {
    const workers = parts.filter(({ component }) => component === 'worker')
    const forks = workers.length > 1 && !this.#run.options.nanny
    const alone = forks ? parts.filter(({ component }) => component !== 'worker') : parts
    return [
      ...alone.map((part) => this.#preloadStart(part)),
      ...(forks ? [this.#forkServerStart(workers.map(({ name }) => name))] : []),
    ]
  }

  #preloadStart(part: DaskPart): StartPython {
    return (python, quiet) => {
      const process = this.#spawn(python, part, quiet)
      this.#preloaded.set(part.name, process)
      return process
    }
  }

  #forkServerStart(names: readonly string[]): StartPython {
    return (python, quiet) => {
      const server = new ForkServer(this.#bootstrap(python, 'worker', quiet), names)
      this.#forks = { server }
      endFrozen(server, this.#run.options.lostAfter)
      return server
    }
  }

  /** Undefined where `part` has to be started in an interpreter of its own. */
  async #fork({ component, name }: DaskPart): Promise<DaskProcess | undefined> {
    if (component !== 'worker' || this.#forks === undefined) return undefined
    this.#forks.ready ??= this.#ifItForks(this.#forks.server)
    const server = await untilAborted(this.#forks.ready, this.#run.signal)
    const process = server?.fork(name, outputOf(component, this.#run))
    if (process !== undefined) endFrozen(process, this.#run.options.lostAfter)
    return process
  }

  async #ifItForks(server: ForkServer): Promise<ForkServer | undefined> {
    const obstacle = await server.obstacle()
    if (obstacle === undefined) return server
    this.#run.logger.detail(`starts its workers one by one: ${obstacle}`)
    server.kill()
    return undefined
  }

  #spawn(python: string, { component, name }: DaskPart, quiet = false): DaskProcess {
    const title = component === 'worker' ? `worker ${name}` : name
    const process = DaskProcess.start({ component, name: title, ...this.#bootstrap(python, component, quiet) })
    endFrozen(process, this.#run.options.lostAfter)
    return process
  }

  #bootstrap(python: string, component: DaskPart['component'], quiet = false): BootstrapOptions {
    const { options } = this.#run
    const level = options.daskLogLevel
    const env = {
      ...(component === 'worker' ? workerEnvironment(this.#env) : this.#env),
      // Otherwise there would be no such records.
      ...(level === 'debug' ? { DASK_LOGGING__DISTRIBUTED: level } : {}),
    }
    return {
      ...{ python, env, reaper: this.#reaper, quiet },
      onLines: outputOf(component, this.#run),
      log: [level ?? 'warning', level !== undefined],
    }
  }
}
