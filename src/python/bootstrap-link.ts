import * as z from 'zod/mini'
import type { Supervised } from '../process/supervised.ts'
import { forEachMessage } from '../process/messages.ts'
import { type Deferred, deferred } from '../util/deferred.ts'
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
type Kind = BootstrapReport['report']
type ReportOf<K extends Kind> = Omit<Extract<BootstrapReport, { report: K }>, 'report'>

/**
 * Where a scheduler will listen: its port is bound. `connect`: the user has said how long Dask may take to connect; `link`:
 * and what links to the dashboard.
 */
export type BoundReport = ReportOf<'bound'>
/** What a component says when it is running: a scheduler its `identity()`, as it stands in a scheduler file. */
export type StartReport = ReportOf<'started'>

/** The conversation with a Python that runs bootstrap.py, which tells the form of each order and report. */
export class BootstrapLink {
  readonly #child: Supervised
  readonly #firsts = new Map<Kind, Deferred<BootstrapReport>>()
  readonly #said = new Map<Kind, BootstrapReport>()
  readonly #listeners = new Map<Kind, (report: BootstrapReport) => void>()

  /** @param onOther called once, where something else than a report comes over the pipe */
  constructor(child: Supervised, onOther?: () => void) {
    this.#child = child
    if (child.pipe === undefined) return
    const onReport = (report: BootstrapReport): void => {
      if (!this.#said.has(report.report)) this.#said.set(report.report, report)
      this.#first(report.report).resolve(report)
      this.#listeners.get(report.report)?.(report)
    }
    forEachMessage(child.pipe, reportSchema, onReport, onOther)
  }

  order(order: object): void {
    this.#child.pipe?.write(`${JSON.stringify(order)}\n`)
  }

  /** The first report of a kind; never, if none comes. */
  async first<K extends Kind>(kind: K): Promise<ReportOf<K>> {
    return (await this.#first(kind).promise) as unknown as ReportOf<K>
  }

  /** The first report of a kind, if one has come. */
  said<K extends Kind>(kind: K): ReportOf<K> | undefined {
    return this.#said.get(kind) as unknown as ReportOf<K> | undefined
  }

  /** Calls `listener` with each report of a kind. */
  on<K extends Kind>(kind: K, listener: (report: ReportOf<K>) => void): void {
    this.#listeners.set(kind, listener as unknown as (report: BootstrapReport) => void)
  }

  /** Whether this Python has Dask, within `timeout` milliseconds: as `findPython` asks. */
  async answer(timeout: number): Promise<PythonAnswer> {
    const found = this.first('python').then(({ dask, executable }) => (dask ? { executable } : lacksDask))
    return await answerOf(this.#child, found, timeout)
  }

  #first(kind: Kind): Deferred<BootstrapReport> {
    const first = this.#firsts.get(kind) ?? deferred<BootstrapReport>()
    this.#firsts.set(kind, first)
    return first
  }
}
