import { exitStatuses, RunnerError } from '../errors.ts'
import { ChildOwner } from '../process/child-owner.ts'
import { type Exit, formatExit } from '../process/exit.ts'
import type { Supervised } from '../process/supervised.ts'
import { settledWithin } from '../util/wait.ts'
import { BootstrapLink, type BoundReport, type StartReport } from './bootstrap-link.ts'
import type { PythonAnswer } from './find-python.ts'
import { type BootstrapOptions, startBootstrap } from './start-bootstrap.ts'

/** How long after its end the report of a process may come. In milliseconds. */
const reportTime = 1_000

/** What a scheduler or worker has beside what Dask's own command line says. */
export interface StartExtras {
  /** Set in its environment. */
  readonly environment: Readonly<Record<string, string>>
  /** Abstract resources, where neither the user's configuration nor `--resources` says how many there are. */
  readonly resources: Readonly<Record<string, number>>
  /** Where its files go, unless the user's configuration names a place. @default Dask's choice */
  readonly directory?: string | undefined
  /** The GPUs that a worker begins with, which the scheduler is told. @default nothing is said of them */
  readonly gpus?: { readonly count: number; readonly devices: readonly string[] } | undefined
  /** Values of options that are judged first: see values.py. */
  readonly values?: readonly (readonly [option: string, name: string, value: string])[]
  /** How messages call flags of Dask. @default by the flag itself */
  readonly names?: Readonly<Record<string, string>>
}

/** A nanny's worker was killed for its memory: by the kernel, or by Dask because of its own limit. The nanny starts it again. */
export interface MemoryLoss {
  /** How the kernel has ended it. Undefined: Dask has. */
  readonly exit?: Exit
  /** What Dask allows it, in bytes; null for no limit. */
  readonly limit: number | null
  /** Dask ends a worker that has more than this part of it. */
  readonly part: number | null
}

/** What to run in the user's Python. */
export interface DaskProcessOptions extends BootstrapOptions {
  readonly component: 'scheduler' | 'worker'
  /** Name for messages and process listings, such as `worker 2`. */
  readonly name: string
}

/**
 * A Dask scheduler or worker as a supervised child. It imports Dask at once, and becomes what it is to
 * be when it is told to. It acts on no signal but KILL: it stops when it is ordered to, and dies when
 * its supervisor does.
 */
export class DaskProcess extends ChildOwner<Supervised> {
  readonly name: string
  readonly #link: BootstrapLink
  /**
   * Resolves once the component is running. Rejects with RunnerError ERR_COMPONENT_LOST where it ends
   * before that, and with ERR_USAGE where the value of an option cannot be used.
   */
  readonly started: Promise<StartReport>

  /** @param child a process that runs bootstrap.py and is to become `name`; `link`, the conversation with it */
  constructor(name: string, child: Supervised, link = new BootstrapLink(child)) {
    super(child)
    this.name = name
    this.#link = link
    this.started = this.#waitForStart()
    this.started.catch(() => undefined)
  }

  /** One in an interpreter of its own. */
  static start({ component, name, ...options }: DaskProcessOptions): DaskProcess {
    const { child, link } = startBootstrap(options, { title: name.split(' ') })
    link.order({ order: 'load', component, log: options.log })
    return new DaskProcess(name, child, link)
  }

  /** Whether its Python has Dask, within `timeout` milliseconds: as `findPython` asks. */
  async answer(timeout: number): Promise<PythonAnswer> {
    return await this.#link.answer(timeout)
  }

  /** Has it run with these arguments of `dask scheduler` or `dask worker`. */
  begin(args: readonly string[], extras: StartExtras = { environment: {}, resources: {} }): void {
    this.#link.order({ order: 'start', arguments: args, ...extras })
  }

  /** Resolves once this scheduler's port is bound; never, if its address can only be known when it listens. */
  get bound(): Promise<BoundReport> {
    return this.#link.first('bound')
  }

  /** Whether a client has come to this scheduler so far. */
  get hadClient(): boolean {
    return this.#link.said('client') !== undefined
  }

  /** Whether this scheduler was closed when all of its clients had left. */
  get clientsHadLeft(): boolean {
    return this.hadClient && this.#link.said('closing')?.clients === 0
  }

  /** Calls `listener` whenever the worker of this nanny was killed for its memory. */
  onMemoryLoss(listener: (loss: MemoryLoss) => void): void {
    this.#link.on('killed', (report) => {
      if (report.part !== null) {
        listener(report)
        return
      }
      void this.child.memory.find().then((outOfMemory) => {
        if (outOfMemory !== undefined)
          listener({ ...report, exit: { status: null, signal: 'SIGKILL', forced: false, outOfMemory } })
      })
    })
  }

  /** Orders it to close, and kills it where it has not ended after `grace` milliseconds. */
  async stop(grace: number): Promise<Exit> {
    return await this.child.end(() => {
      if (this.#link.said('loaded') !== undefined) this.#link.order({ order: 'stop' })
      // There is nothing to close yet.
      else this.child.signal('SIGKILL', 'group')
    }, grace)
  }

  async #waitForStart(): Promise<StartReport> {
    const refused = this.#link.first('refused').then(({ message }): never => {
      throw new RunnerError(message, { code: 'ERR_USAGE' })
    })
    refused.catch(() => undefined)
    const early = this.exited.then(async (exit): Promise<never> => {
      // Its report may still be under way.
      if (exit.status === exitStatuses.ERR_USAGE && (await settledWithin(refused, reportTime))) await refused
      // Its own sentence: see tls.py.
      const why = exit.status === exitStatuses.ERR_ENVIRONMENT ? this.tail.at(-1) : undefined
      if (why !== undefined) throw new RunnerError(why, { code: 'ERR_ENVIRONMENT' })
      throw new RunnerError(`Cannot start ${this.name}: Python ${formatExit(exit)}`, {
        code: 'ERR_COMPONENT_LOST',
        lastLines: this.tail,
      })
    })
    return await Promise.race([this.#link.first('started'), refused, early])
  }
}
