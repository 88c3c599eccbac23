import * as z from 'zod/mini'
import type { Supervised } from '../process/supervised.ts'
import { forEachMessage } from '../process/messages.ts'
import { deferred } from '../util/deferred.ts'
import { answerOf, type PythonAnswer, lacksDask } from './find-python.ts'

const reportSchema = z.discriminatedUnion('report', [
  z.object({ report: z.literal('python'), executable: z.string(), dask: z.boolean() }),
  z.object({ report: z.literal('bound'), address: z.string(), connect: z.boolean(), link: z.boolean() }),
  z.object({ report: z.literal('loaded'), pid: z.number(), threads: z.nullable(z.number()) }),
  z.object({
    report: z.literal('started'),
    identity: z.record(z.string(), z.unknown()),
    versions: z.object({ python: z.string(), dask: z.string(), distributed: z.string() }),
    link: z.optional(z.boolean()),
  }),
  z.object({ report: z.literal('refused'), message: z.string() }),
  z.object({ report: z.literal('client') }),
  z.object({ report: z.literal('closing'), clients: z.number() }),
  z.object({ report: z.literal('killed'), limit: z.nullable(z.number()), part: z.nullable(z.number()) }),
  z.object({ report: z.literal('forked'), name: z.string(), pid: z.number() }),
  z.object({
    report: z.literal('exited'),
    name: z.string(),
    status: z.nullable(z.number()),
    signal: z.nullable(z.string()),
  }),
])
type BootstrapReport = z.infer<typeof reportSchema>
type ReportOf<K extends BootstrapReport['report']> = Omit<Extract<BootstrapReport, { report: K }>, 'report'>

/** What a Python says when it has imported Dask: its process id, and how many threads it has, where that can be known. */
export type LoadReport = ReportOf<'loaded'>
/**
 * Where a scheduler will listen: its port is bound. `connect`: the user has said how long Dask may take to connect; `link`:
 * and what links to the dashboard.
 */
export type BoundReport = ReportOf<'bound'>
/** What a component says when it is running: a scheduler its `identity()`, as it stands in a scheduler file. */
export type StartReport = ReportOf<'started'>
/**
 * The worker of a nanny was killed, which starts it again. `limit`: what Dask allows it, in bytes. `part`: it had more than
 * this part of that, and the nanny has killed it.
 */
type KillReport = ReportOf<'killed'>
/** A worker has been forked. */
export type ForkReport = ReportOf<'forked'>
/** A forked worker has ended. */
export type ExitReport = ReportOf<'exited'>

/** Called with what a process says of the workers that it forks. */
export interface ForkListener {
  readonly onForked: (report: ForkReport) => void
  readonly onExited: (report: ExitReport) => void
}

/** The conversation with a Python that runs bootstrap.py, which tells the form of each order and report. */
export class BootstrapLink {
  /** Imports Dask no more. */
  isLoaded = false
  /** Whether a client has come to its scheduler. */
  hadClient = false
  /** Whether its scheduler was closed when all of its clients had left. */
  clientsHadLeft = false
  /** Called when the worker of this nanny was killed. */
  onKilled: (report: KillReport) => void = () => undefined
  readonly #child: Supervised
  readonly #found = deferred<PythonAnswer>()
  readonly #loaded = deferred<LoadReport>()
  readonly #bound = deferred<BoundReport>()
  readonly #started = deferred<StartReport>()
  readonly #refused = deferred<string>()

  /** @param onOther called once, where something else than a report comes over the pipe */
  constructor(child: Supervised, forks?: ForkListener, onOther?: () => void) {
    this.#child = child
    if (child.pipe === undefined) return
    const onReport = (report: BootstrapReport): void => {
      switch (report.report) {
        case 'python':
          this.#found.resolve(report.dask ? { executable: report.executable } : lacksDask)
          break
        case 'loaded':
          this.isLoaded = true
          this.#loaded.resolve(report)
          break
        case 'bound':
          this.#bound.resolve(report)
          break
        case 'started':
          this.#started.resolve(report)
          break
        case 'refused':
          this.#refused.resolve(report.message)
          break
        case 'client':
          this.hadClient = true
          break
        case 'closing':
          this.clientsHadLeft = this.hadClient && report.clients === 0
          break
        case 'killed':
          this.onKilled(report)
          break
        case 'forked':
          forks?.onForked(report)
          break
        case 'exited':
          forks?.onExited(report)
      }
    }
    forEachMessage(child.pipe, reportSchema, onReport, onOther)
  }

  /** What its Python says of itself; never, where it fails before. */
  get found(): Promise<PythonAnswer> {
    return this.#found.promise
  }

  order(order: object): void {
    this.#child.pipe?.write(`${JSON.stringify(order)}\n`)
  }

  /** Whether this Python has Dask, within `timeout` milliseconds: as `findPython` asks. */
  async answer(timeout: number): Promise<PythonAnswer> {
    return await answerOf(this.#child, this.#found.promise, timeout)
  }

  /** Resolves once it has imported Dask. */
  get loaded(): Promise<LoadReport> {
    return this.#loaded.promise
  }

  /** Resolves once a scheduler's port is bound, while it imports Dask; never, if its address can only be known when it listens. */
  get bound(): Promise<BoundReport> {
    return this.#bound.promise
  }

  /** Resolves with the sentence, once it has found that the value of an option cannot be used. */
  get refused(): Promise<string> {
    return this.#refused.promise
  }

  /** Resolves once its component runs. */
  get started(): Promise<StartReport> {
    return this.#started.promise
  }
}
