import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { deadline } from '../util/wait.ts'
import { forOwnProcess } from '../util/own-process.ts'
import { ownProgram } from '../util/own-program.ts'
import type { PulseOrders } from './heartbeat-orders.ts'

/** How long the thread may take to listen. In milliseconds. */
const startTimeout = 10_000

/** The thread that beats for this process while its own loop runs the user's code: see pulse-thread.ts. */
export class BodyPulse {
  readonly #worker: Worker

  constructor(orders: PulseOrders) {
    this.#worker = new Worker(ownProgram(), {
      argv: ['pulse'],
      workerData: orders,
      env: forOwnProcess(process.env),
      execArgv: [],
      stdout: false,
    })
    this.#worker.on('error', () => undefined)
    this.#worker.unref()
  }

  /** The port on which it listens, in process 0; undefined where it cannot. */
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

  /** The body has ended, or is being ended by us. May be called twice. */
  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}
