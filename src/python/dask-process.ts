import * as z from 'zod/mini'
import { RunnerError } from '../errors.ts'
import { Child } from '../process/child.ts'
import { type Exit, sayExit } from '../process/exit.ts'
import type { Guardian } from '../process/guardian.ts'
import { forEachLine } from '../process/output.ts'
import bootstrap from './bootstrap.py'

/** Reads the bootstrap from the pipe, so that a process listing shows a short command. */
const loader =
  'import socket;pipe=socket.socket(fileno=3);W=socket.MSG_WAITALL;exec(pipe.recv(int(pipe.recv(8,W)),W).decode())'

const reportSchema = z.object({ report: z.literal('started'), identity: z.record(z.string(), z.unknown()) })

/** What to run in the user's Python. */
export interface DaskProcessOptions {
  /** Path of the interpreter. */
  readonly python: string
  readonly component: 'scheduler' | 'worker'
  /** Name for messages and process listings, such as `worker 2`. */
  readonly name: string
  /** Arguments of `dask scheduler` or `dask worker`. */
  readonly arguments: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly guardian: Guardian
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void
}

/**
 * A Dask scheduler or worker as a supervised child. It acts on no signal but KILL: it stops when it
 * is ordered to, and dies when its supervisor does.
 */
export class DaskProcess {
  readonly name: string
  readonly #child: Child
  /**
   * Resolves once the component is running: for a scheduler with its `identity()`, as it stands in
   * a scheduler file. Rejects with RunnerError ERR_COMPONENT_LOST where it ends before that.
   */
  readonly started: Promise<Readonly<Record<string, unknown>>>

  constructor(options: DaskProcessOptions) {
    this.name = options.name
    this.#child = new Child({
      command: [options.python, '-u', '-c', loader, 'dask-hpc-runner', ...options.name.split(' ')],
      env: options.env,
      guardian: options.guardian,
      output: options.onLine,
      pipe: true,
      shielded: true,
    })
    const text = Buffer.from(bootstrap)
    this.#child.pipe?.write(Buffer.concat([Buffer.from(String(text.length).padStart(8)), text]))
    this.#order({ order: 'start', component: options.component, arguments: options.arguments })
    this.started = this.#waitForStart()
    this.started.catch(() => undefined)
  }

  get exited(): Promise<Exit> {
    return this.#child.exited
  }

  /** The last lines that it printed, oldest first. */
  get tail(): readonly string[] {
    return this.#child.tail
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Orders it to close, and kills it where it has not ended after `grace` milliseconds. */
  async stop(grace: number): Promise<Exit> {
    return await this.#child.end(() => {
      this.#order({ order: 'stop' })
    }, grace)
  }

  kill(): void {
    this.#child.kill()
  }

  unref(): void {
    this.#child.unref()
  }

  #order(order: object): void {
    this.#child.pipe?.write(`${JSON.stringify(order)}\n`)
  }

  async #waitForStart(): Promise<Readonly<Record<string, unknown>>> {
    const { pipe } = this.#child
    const report = new Promise<Readonly<Record<string, unknown>>>((resolve) => {
      if (pipe === undefined) return
      forEachLine(pipe, (line) => {
        resolve(z.parse(reportSchema, JSON.parse(line)).identity)
      })
    })
    const early = this.exited.then((exit): never => {
      throw new RunnerError(`Cannot start ${this.name}: Python ${sayExit(exit)}`, {
        code: 'ERR_COMPONENT_LOST',
        lastLines: this.tail,
      })
    })
    return await Promise.race([report, early])
  }
}
