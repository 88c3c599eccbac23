import { workerNames } from '../components/worker-names.ts'
import type { ToCoordinator } from '../control/messages.ts'
import type { RunContext } from '../identity/run-context.ts'
import type { DaskVersions } from '../record/cluster-record.ts'
import type { Recording, ReportedEvent, ReportedRank, ReportedWorker } from '../record/run-report.ts'
import type { EarlyExit } from '../rendezvous/rendezvous.ts'
import { tlsOf } from '../security/run-tls.ts'
import { formatSilence } from './failure.ts'
import { type Answer, lookAt, type SeenWorker } from './look.ts'
import type { Decision } from './run-state.ts'
import { Sampler } from './sampler.ts'
import { Samples } from './samples.ts'
import type { RunSeams } from './seams.ts'

/** What rank 0 learns of its run. */
export type RunEvent =
  | { readonly type: 'came'; readonly rank: number; readonly host: string }
  | { readonly type: 'heard'; readonly rank: number; readonly message: ToCoordinator }
  | { readonly type: 'lost'; readonly rank: number; readonly how: 'closed' | 'silent' }
  | { readonly type: 'departed'; readonly exit: EarlyExit }
  | { readonly type: 'scheduler'; readonly address: string; readonly versions: DaskVersions | undefined }
  | { readonly type: 'decided'; readonly decision: Decision }

/** Of more ranks, workers and events a report says only how many they are. */
const mostRanks = 10_000
const mostWorkers = 10_000
const mostEvents = 400

type SeenRank = Omit<ReportedRank, 'rank' | 'roles'>

/** Keeps what becomes of a run for its report, in bounded room. */
export class Recorder implements Disposable {
  readonly #run: RunContext
  readonly #connect: RunSeams['connectScheduler']
  readonly #began: Date
  readonly #ranks = new Map<number, SeenRank>()
  readonly #rankOfWorker: ReadonlyMap<string, number>
  readonly #workers = new Map<string, ReportedWorker>()
  readonly #strangers = new Set<string>()
  readonly #events: ReportedEvent[] = []
  readonly #samples = new Samples()
  #eventsLeftOut = 0
  #versions: DaskVersions | undefined
  #sampler: Sampler | undefined

  constructor(run: RunContext, { connectScheduler }: Pick<RunSeams, 'connectScheduler'>, began: Date) {
    this.#run = run
    this.#connect = connectScheduler
    this.#began = began
    const naming = { ...run.options, runKey: run.identity.runKey }
    this.#rankOfWorker = new Map(
      run.roles.flatMap((roles, rank) =>
        roles.includes('worker') ? workerNames(rank, naming).map((name) => [name, rank] as const) : [],
      ),
    )
  }

  /** Something has happened. */
  observe(event: RunEvent): void {
    switch (event.type) {
      case 'came':
        this.#come(event.rank, event.host)
        break
      case 'heard':
        this.#hear(event.rank, event.message)
        break
      case 'lost':
        this.#end(event.rank, event.how === 'closed' ? 'ended without a word' : this.#silence)
        break
      case 'departed':
        this.#depart(event.exit)
        break
      case 'scheduler':
        this.#watchScheduler(event.address, event.versions)
        break
      case 'decided':
        this.#decide(event.decision)
    }
  }

  [Symbol.dispose](): void {
    this.#sampler?.[Symbol.dispose]()
  }

  /** What was seen until now. */
  get recording(): Recording {
    const { roles } = this.#run
    const nothing: SeenRank = { host: null, came: null, up: null, ended: null }
    const ranks = roles.slice(0, mostRanks).map((each, rank) => {
      return { rank, roles: [...each], ...(this.#ranks.get(rank) ?? nothing) }
    })
    return {
      versions: this.#versions ?? null,
      ranks,
      ranks_left_out: roles.length - ranks.length,
      workers_seen: [...this.#workers.values()],
      workers_left_out: this.#strangers.size,
      events: [...this.#events],
      events_left_out: this.#eventsLeftOut,
      samples: this.#samples.columns,
    }
  }

  #come(rank: number, host: string): void {
    const before = this.#ranks.get(rank)
    this.#ranks.set(rank, { host, came: before?.came ?? this.#now, up: before?.up ?? null, ended: null })
  }

  #hear(rank: number, message: ToCoordinator): void {
    const seen = this.#ranks.get(rank)
    if (message.type === 'worker-started' && seen?.up === null) this.#ranks.set(rank, { ...seen, up: this.#now })
    else if (message.type === 'done') this.#end(rank)
    else if (message.type === 'ended') this.#tell('info', `The client program ended with status ${message.status}`)
    else if (message.type === 'signal') this.#tell('info', `${message.signal} came to rank ${rank}`)
  }

  #end(rank: number, why?: string): void {
    const seen = this.#ranks.get(rank)
    if (seen?.ended !== null) return
    this.#ranks.set(rank, { ...seen, ended: this.#now, ...(why === undefined ? {} : { why }) })
  }

  #depart({ rank, failure, silent = false }: EarlyExit): void {
    if (this.#ranks.has(rank)) return
    const why = failure?.message ?? (silent ? this.#silence : 'it ended before it had joined the run')
    this.#ranks.set(rank, { host: failure?.host ?? null, came: null, up: null, ended: this.#now, why })
  }

  #decide(decision: Decision): void {
    if (decision.do === 'warn') this.#tell('warn', decision.message)
    if (decision.do !== 'end') return
    const { failure } = decision.result
    if (failure !== undefined) this.#tell('error', failure.message)
    this.#sampler?.finish()
  }

  #watchScheduler(address: string, versions: DaskVersions | undefined): void {
    const { options } = this.#run
    this.#versions = versions
    this.#tell('info', `The scheduler runs at ${address}`)
    this.#sampler ??= new Sampler({
      link: this.#connect(address, tlsOf(options)),
      countsTasks: options.scheduler,
      onAnswer: (answer) => {
        this.#take(answer)
      },
    })
    this.#sampler.start()
  }

  #take(answer: Answer): void {
    const look = lookAt(answer, (worker) => this.#hostOf(worker))
    this.#samples.add(this.#now, look)
    for (const worker of look.workers) this.#see(worker)
  }

  #see(seen: SeenWorker): void {
    const { name, host, threads } = seen
    const before = this.#workers.get(name)
    if (before === undefined && this.#workers.size >= mostWorkers) {
      if (this.#strangers.size < mostWorkers) this.#strangers.add(name)
      return
    }
    this.#workers.set(name, {
      ...{ name, host, threads },
      memory_limit: seen.memoryLimit ?? null,
      memory: most(before?.memory, seen.memory),
      cpu: most(before?.cpu, seen.cpu),
      spilled: most(before?.spilled, seen.spilled),
      transfers: most(before?.transfers, seen.transfers),
      first_seen: before?.first_seen ?? this.#now,
      last_seen: this.#now,
    })
  }

  #hostOf(worker: string): string | undefined {
    // A command may bring several workers, and name them with a number behind its own name.
    const rank = this.#rankOfWorker.get(worker) ?? this.#rankOfWorker.get(worker.replace(/-\d+$/, ''))
    return rank === undefined ? undefined : (this.#ranks.get(rank)?.host ?? undefined)
  }

  /** The first of many are kept, and the last. */
  #tell(level: ReportedEvent['level'], text: string): void {
    this.#events.push({ at: this.#now, level, text })
    if (this.#events.length <= mostEvents) return
    this.#events.splice(mostEvents / 2, 1)
    this.#eventsLeftOut++
  }

  /** Seconds since the run began. */
  get #now(): number {
    return Math.max(0, Date.now() - this.#began.getTime()) / 1_000
  }

  get #silence(): string {
    return formatSilence(this.#run.options.lostAfter)
  }
}

function most(before: number | null | undefined, now: number | undefined): number | null {
  if (now === undefined) return before ?? null
  return Math.max(before ?? now, now)
}
