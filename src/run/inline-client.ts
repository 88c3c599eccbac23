import type { ClusterRecord } from '../record/cluster-record.ts'
import type { Logger } from '../logger.ts'
import { sleepUnref } from '../util/wait.ts'
import { HeartbeatThread } from './heartbeat-thread.ts'

/** A body that is still there so long after the end of the run and the grace is killed. In milliseconds. */
const patienceWithBody = 5_000

/** What the runner lends to {@link Body}. */
export interface BodyOptions {
  /** How long it may take to end, once it is told to. In milliseconds. */
  readonly grace: number
  /** From the signal that ends a run to the end of its last process. In milliseconds. */
  readonly wholeGrace: number
  /** Silence after which a process counts as lost. In milliseconds. */
  readonly lostAfter: number
  /** Whether it has come to its end by itself. */
  readonly hasEnded: () => boolean
  /** Ends the run: the body has done its work, or has been given up. */
  readonly close: () => Promise<void>
  /** The body has called `process.exit` or thrown: what can still be done at once. */
  readonly onExit: (status: number) => void
  readonly exit: (status: number) => void
}

/** The caller's code, where that is the client. It runs in this very process, and may keep its loop busy. */
export class Body {
  readonly #options: BodyOptions
  readonly #ending = new AbortController()
  #pulse: HeartbeatThread | undefined
  #hasBegun = false

  constructor(options: BodyOptions) {
    this.#options = options
  }

  /** Aborts with the cause when the body has to end. */
  get signal(): AbortSignal {
    return this.#ending.signal
  }

  /** While the body runs, our own loop may not: a thread beats for us. */
  startHeartbeat(record: ClusterRecord, rank: number): HeartbeatThread {
    const { lostAfter, wholeGrace } = this.#options
    const prefix = `[${rank} client]`
    this.#pulse = new HeartbeatThread({ record, rank, lostAfter, patience: wholeGrace + patienceWithBody, prefix })
    return this.#pulse
  }

  async stopHeartbeat(): Promise<void> {
    await this.#pulse?.stop()
  }

  /** Whether the body has begun: before, nothing of it has to be ended. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** The body begins. */
  begin(): void {
    this.#hasBegun = true
    process.on('exit', this.#options.onExit)
    process.on('beforeExit', this.#onBeforeExit)
  }

  /** The run is over, and with it our interest in how this process exits. */
  forget(): void {
    process.off('exit', this.#options.onExit)
    process.off('beforeExit', this.#onBeforeExit)
  }

  /** Tells the body to end, and ends it where it has not after its grace. */
  async end(cause: Error, status: number, logger: Logger): Promise<void> {
    const { grace, hasEnded, close, exit } = this.#options
    this.#ending.abort(cause)
    await sleepUnref(grace)
    if (hasEnded()) return
    logger.warn('the program has not ended in its time: it is ended now')
    process.exitCode = status
    await close()
    exit(status)
  }

  readonly #onBeforeExit = (): void => {
    void this.#options.close()
  }
}
