import type { ClusterRecord } from '../record/cluster-record.ts'
import type { RunSeams } from './seams.ts'
import type { Supervisor } from './supervisor.ts'

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
