import type { ClusterRecord } from '../record/cluster-record.ts'
import { InterruptedError } from '../identity/run-context.ts'
import { createLogger, type Logger } from '../logger.ts'
import type { CompleteOptions } from '../options.ts'
import type { Reaper } from '../process/reaper.ts'
import type { RunSeams } from './seams.ts'
import { divideGrace, type EndTiming } from './timing.ts'
import { closeSync, openSync } from 'node:fs'

/** How far the part of a process in its run is: it only moves forward. */
export type Phase = 'starting' | 'running' | 'ending' | 'ended'

/** This process, before it knows who it is in its run, and after. */
export class Supervisor {
  readonly options: CompleteOptions
  readonly seams: RunSeams
  readonly timing: EndTiming
  /** Ends what this process has started, whatever ends this process. */
  readonly reaper: Reaper
  readonly began = new Date()
  /** They are closed when the end begins, which needs them. */
  readonly spareFiles = new SpareFiles()
  /** Says who writes, as soon as that is known. */
  logger: Logger
  readonly #starting = new AbortController()
  #phase: Phase = 'starting'

  constructor(options: CompleteOptions, seams: RunSeams) {
    this.options = options
    this.seams = seams
    this.timing = divideGrace(options.grace)
    this.logger = createLogger({ prefix: '[dask-hpc-runner]', format: options.logFormat, verbose: options.verbose })
    this.reaper = seams.makeReaper(options)
    this.reaper.onFailure = (error) => {
      this.abandonStart(error)
    }
  }

  get phase(): Phase {
    return this.#phase
  }

  get isEnding(): boolean {
    return this.#phase === 'ending' || this.#phase === 'ended'
  }

  moveTo(phase: Phase): void {
    this.#phase = phase
    if (this.isEnding) this.spareFiles.close()
  }

  /** Aborts when this process has to end before its part in the run has begun. */
  get startSignal(): AbortSignal {
    return this.#starting.signal
  }

  /** Ends the waits of the start, if this process is still starting. */
  abandonStart(error: Error): void {
    if (this.#phase === 'starting') this.#starting.abort(error)
  }

  /** A signal ends the run: nothing of it begins any more. */
  interruptStart(signal: NodeJS.Signals): void {
    this.#starting.abort(new InterruptedError(signal))
  }
}

/** The reaper takes six for its start, a directory that is cleared three. */
const spare = 8

/** File descriptors that are kept free for the end of a run, which has to clear up also where no more files can be opened. */
class SpareFiles {
  #files: number[] = []

  constructor() {
    try {
      while (this.#files.length < spare) this.#files.push(openSync('/dev/null', 'r'))
    } catch {
      // There are fewer, then.
    }
  }

  /** Gives them back. May be called twice. */
  close(): void {
    for (const file of this.#files.splice(0)) closeSync(file)
  }
}

/** A program that is still there so long after the end of the run and the grace is killed. */
const patienceMs = 5_000

/** The heartbeats of a process whose own loop runs the user's code, and may be busy with it: a thread sends them. */
export class InlineHeartbeat {
  readonly #supervisor: Supervisor
  #thread: ReturnType<RunSeams['startHeartbeatThread']> | undefined

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor
  }

  /** Starts the thread: `record` says where rank 0 listens. */
  start(record: ClusterRecord, rank: number): ReturnType<RunSeams['startHeartbeatThread']> {
    const { options, seams } = this.#supervisor
    const { lostAfter, grace } = options
    const orders = { record, rank, lostAfter, patience: grace + patienceMs, prefix: `[${rank} client]` }
    this.#thread = seams.startHeartbeatThread(orders)
    return this.#thread
  }

  /** The program has ended, or we are ending it. May be called twice. */
  async stop(): Promise<void> {
    await this.#thread?.stop()
  }
}
