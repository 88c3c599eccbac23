import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { deadline } from '../util/wait.ts'
import { forOwnProcess } from '../util/own-process.ts'
import { ownProgram } from '../util/own-program.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'

/** What the thread is told that sends the heartbeats of a process whose own loop runs the user's code. */
export interface HeartbeatOrders {
  readonly rank: number
  /** Milliseconds of silence after which somebody counts as lost. */
  readonly lostAfter: number
  /** Milliseconds from the end of the run until an inline client that has not ended is killed. */
  readonly patience: number
  /** Rank 0 listens for the others; others connect to it. */
  readonly record: ClusterRecord
  /** Put before what is said. */
  readonly prefix: string
}

/** How long the thread may take to listen. In milliseconds. */
const startTimeout = 10_000

/** The thread that sends the heartbeats of this process while its own loop runs the user's code: see heartbeat-program.ts. */
export class HeartbeatThread {
  readonly #worker: Worker

  constructor(orders: HeartbeatOrders) {
    this.#worker = new Worker(ownProgram(), {
      argv: ['heartbeat'],
      workerData: orders,
      env: forOwnProcess(process.env),
      execArgv: [],
      stdout: false,
    })
    this.#worker.on('error', () => undefined)
    this.#worker.unref()
  }

  /** The port on which it listens, in rank 0; undefined where it cannot. */
  async port(): Promise<number | undefined> {
    this.#worker.ref()
    try {
      const late = (): Error => new Error('the thread says nothing')
      const [{ port }] = (await deadline(once(this.#worker, 'message'), startTimeout, late)) as [{ port: number }]
      return port
    } catch {
      return undefined
    } finally {
      this.#worker.unref()
    }
  }

  /** The inline client has ended, or is being ended by us. May be called twice. */
  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}
