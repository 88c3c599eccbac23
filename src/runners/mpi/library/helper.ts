import { RunnerError } from '../../../errors.ts'
import { Child } from '../../../process/child.ts'
import { formatExit } from '../../../process/exit.ts'
import type { Reaper } from '../../../process/reaper.ts'
import { withLauncherPipe } from '../launcher-pipe.ts'
import { forEachMessage } from '../../../process/messages.ts'
import { forOwnProcess } from '../../../util/own-process.ts'
import { ownProgram } from '../../../util/own-program.ts'
import { type Deferred, deferred } from '../../../util/deferred.ts'
import { type MpiOrder, type MpiReport, mpiReportSchema, NoMpiError } from './messages.ts'

/** What the helper process is started with. */
export interface MpiHelperOptions {
  /** The library to load. @default the machine's */
  readonly library?: string | undefined
  /** Join the world, beside finding the library. @default true */
  readonly initialise?: boolean
  /** With the launcher's variables. */
  readonly env: Readonly<NodeJS.ProcessEnv>
  readonly reaper: Reaper
}

/** What the helper says when all goes well. */
type MpiProgress = Exclude<MpiReport, { report: 'unavailable' }>
type ProgressOf<T extends MpiProgress['report']> = Extract<MpiProgress, { report: T }>

/**
 * UCX, which comes with some libraries, tries its memory hooks out when it is loaded: `sbrk(4096)`, then
 * `sbrk(-4096)`. V8 keeps a range of addresses for code close above the heap; where the heap already reaches
 * it the first call fails, and the second takes a page in use away from malloc. The hooks serve transfers
 * of large memory, of which there are none here.
 */
const withoutMemoryHooks = { UCX_MEM_EVENTS: 'n' } as const

/** What a process gets for a fault of its own. */
const faults: ReadonlySet<NodeJS.Signals> = new Set(['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGABRT', 'SIGFPE'])

/**
 * A short-lived process that takes part in the MPI program in place of this one. `MPI_Init` and
 * `MPI_Finalize` block, for ever where a rank does not come: they do so in there, and are given up
 * from here.
 *
 * Each of its promises rejects with RunnerError `ERR_UNAVAILABLE` where the helper ends before.
 */
export class MpiHelper {
  /** The library that is used. Rejects with {@link NoMpiError} where there is none. */
  readonly loaded: Promise<ProgressOf<'loaded'>>
  /** Resolves when all ranks have come. */
  readonly world: Promise<ProgressOf<'world'>>
  /** What rank 0 has broadcast. */
  readonly received: Promise<ProgressOf<'received'>>
  /** Resolves when every rank has received it. */
  readonly finalizing: Promise<unknown>
  /** Resolves when this rank has left MPI. */
  readonly finalized: Promise<unknown>
  readonly #child: Child
  #hasCrashed = false
  #hasWorld = false
  readonly #reports: { readonly [T in MpiProgress['report']]: Deferred<ProgressOf<T>> }

  constructor({ library, initialise = true, env, reaper }: MpiHelperOptions) {
    this.#child = new Child({
      command: [process.execPath, ownProgram(), 'mpi-helper'],
      ...withLauncherPipe(forOwnProcess({ ...withoutMemoryHooks, ...env })),
      reaper,
      // What libraries say is told only where they fail.
      output: () => undefined,
      pipe: true,
      shielded: true,
    })
    this.#reports = {
      loaded: deferred(),
      world: deferred(),
      received: deferred(),
      finalizing: deferred(),
      finalized: deferred(),
    }
    this.loaded = this.#reports.loaded.promise
    this.world = this.#reports.world.promise
    this.received = this.#reports.received.promise
    this.finalizing = this.#reports.finalizing.promise
    this.finalized = this.#reports.finalized.promise
    if (this.#child.pipe !== undefined)
      forEachMessage(this.#child.pipe, mpiReportSchema, (report) => {
        this.#hear(report)
      })
    void this.#child.exited.then((exit) => {
      this.#hasCrashed = exit.signal !== null && faults.has(exit.signal)
      const error = new RunnerError(`Cannot use MPI: the process that calls the library ${formatExit(exit)}`, {
        code: 'ERR_UNAVAILABLE',
        lastLines: this.#child.tail,
      })
      this.#failAll(error)
    })
    this.#order({ order: 'start', library, initialise })
  }

  get exited(): Promise<unknown> {
    return this.#child.exited
  }

  /** Whether it has ended by a fault of the code in it, not by somebody's will. */
  get hasCrashed(): boolean {
    return this.#hasCrashed
  }

  /** Whether all ranks have come, so that there is something to abort. */
  get hasWorld(): boolean {
    return this.#hasWorld
  }

  /** For rank 0: gives all ranks `text`, once they have come. */
  broadcast(text: string): void {
    this.#order({ order: 'broadcast', text })
  }

  /** Asks the library to end all ranks, with `status` for the launcher. Does nothing before the world is there. */
  abort(status: number): void {
    this.#order({ order: 'abort', status })
  }

  kill(): void {
    this.#child.kill()
  }

  #order(order: MpiOrder): void {
    this.#child.pipe?.write(`${JSON.stringify(order)}\n`)
  }

  #hear(report: MpiReport): void {
    if (report.report === 'world') this.#hasWorld = true
    if (report.report === 'unavailable') this.#failAll(new NoMpiError(report.why))
    else (this.#reports[report.report] as Deferred<MpiProgress>).resolve(report)
  }

  #failAll(error: Error): void {
    for (const each of Object.values(this.#reports)) each.reject(error)
  }
}
