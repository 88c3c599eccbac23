import type { Duplex } from 'node:stream'
import { messageOf, RunnerError } from '../errors.ts'
import { formatExit } from '../process/exit.ts'
import type { ClientProcess } from '../python/client-process.ts'
import { type Deferred, deferred } from '../util/deferred.ts'
import type { DescribedFailure } from './task-error.ts'
import { bounded, type WaitOptions } from './bounded.ts'
import { type Frame, HelperFrameReader, packFrame } from './frames.ts'

/** How long the end of a process may follow that of its pipe. In milliseconds. */
const closeTimeout = 2_000

/** What the helper process reports by itself. */
export interface HelperReport {
  /** Futures whose result is there. */
  readonly done: readonly number[]
  readonly failed: readonly (readonly [number, DescribedFailure])[]
  /** Results that were asked for. */
  readonly values: readonly (readonly [number, readonly [number, Uint8Array, number, number]])[]
}

/** What comes back: its values are among the buffers. */
export interface HelperAnswer {
  readonly ok: unknown
  readonly buffers: readonly Uint8Array[]
}

/** Why an order failed: the type of the Python error, and a sentence. */
interface FailedOrder {
  readonly type: string
  readonly text: string
}

interface Reply {
  readonly re?: number
  readonly ok?: unknown
  readonly error?: FailedOrder
  readonly gone?: string
}

/** An order, `order` its name; with an `id` where an answer is wanted. */
export type HelperOrder = Readonly<Record<string, unknown>> & { readonly order: string }

/** The pipe to the helper process: orders, their answers, and what it reports. */
export class HelperConnection {
  readonly #process: ClientProcess
  readonly #pipe: Duplex
  readonly #requests = new Map<number, Deferred<HelperAnswer>>()
  readonly #lost = deferred<RunnerError>()
  #onReport: (report: HelperReport, buffers: readonly Uint8Array[]) => void = () => undefined
  #error: RunnerError | undefined
  #number = 0
  /** How many wait for something. */
  #waiting = 0

  /** @throws RunnerError ERR_COMPONENT_LOST where the process could not be started. */
  constructor(process: ClientProcess) {
    this.#process = process
    const { pipe } = process
    if (pipe === undefined) throw lostHelper('could not be started', process.tail)
    this.#pipe = pipe
    const reader = new HelperFrameReader((frame) => {
      this.#receive(frame)
    })
    process.onData((chunk) => {
      try {
        reader.push(chunk)
      } catch (error) {
        this.fail(lostHelper(`has a pipe that cannot be read: ${messageOf(error)}`, process.tail))
        pipe.destroy()
      }
    })
    const ended = process.exited.then((exit) => {
      this.fail(lostHelper(formatExit(exit), process.tail))
    })
    pipe.once('close', () => {
      // Nothing else may keep us alive until its end is known, or the pipe alone is gone.
      const late = setTimeout(() => {
        this.fail(lostHelper('closed its pipe', process.tail))
      }, closeTimeout)
      void ended.then(() => {
        clearTimeout(late)
      })
    })
    this.#updateHold()
  }

  /** Resolves with the reason once there is no connection any more. */
  get lost(): Promise<RunnerError> {
    return this.#lost.promise
  }

  /** Why there is no connection any more. */
  get error(): RunnerError | undefined {
    return this.#error
  }

  onReport(listener: (report: HelperReport, buffers: readonly Uint8Array[]) => void): void {
    this.#onReport = listener
  }

  /** Sends an order that is not answered. */
  send(order: HelperOrder, buffers: readonly Uint8Array[] = []): void {
    if (this.#error !== undefined) return
    this.#pipe.cork()
    for (const part of packFrame({ header: order, buffers })) this.#pipe.write(part)
    this.#pipe.uncork()
  }

  /** Resolves when the helper process has taken all but a little of what was sent. */
  async drained(): Promise<void> {
    if (this.#error !== undefined || !this.#pipe.writableNeedDrain) return
    const drain = new Promise((resolve) => this.#pipe.once('drain', resolve))
    const lost = this.lost.then((error): never => {
      throw error
    })
    await Promise.race([drain, lost])
  }

  /**
   * Sends an order and gives its answer. When `signal` aborts, the order is abandoned.
   *
   * @throws RunnerError where the order fails, or the helper process is lost; the reason of `signal`.
   */
  async request(order: HelperOrder, signal?: AbortSignal, buffers: readonly Uint8Array[] = []): Promise<HelperAnswer> {
    signal?.throwIfAborted()
    if (this.#error !== undefined) throw this.#error
    const id = this.#number++
    const answer = deferred<HelperAnswer>()
    this.#requests.set(id, answer)
    const onAbort = (): void => {
      this.#requests.delete(id)
      this.send({ order: 'abandon', request: id })
      answer.reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.send({ ...order, id }, buffers)
    try {
      return await this.holding(answer.promise)
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** The outcome of `promise`, as {@link bounded}; this process is kept alive as long as somebody waits here. */
  async wait<T>(promise: Promise<T>, options: WaitOptions, what: () => string): Promise<T> {
    return await this.holding(bounded(promise, options, what))
  }

  /** Keeps this process alive until `promise` settles. */
  async holding<T>(promise: Promise<T>): Promise<T> {
    this.#waiting++
    this.#updateHold()
    try {
      return await promise
    } finally {
      this.#waiting--
      this.#updateHold()
    }
  }

  /** Ends the connection; whatever waits is told `error`. */
  fail(error: RunnerError): void {
    if (this.#error !== undefined) return
    this.#error = error
    for (const request of this.#requests.values()) request.reject(error)
    this.#requests.clear()
    this.#lost.resolve(error)
  }

  /** Ends the helper process, kills it where it has not ended after `grace` milliseconds. */
  async end(grace: number): Promise<void> {
    await this.holding(this.#process.stop(grace))
  }

  #receive({ header, buffers }: Frame): void {
    const reply = header as Reply
    if (reply.gone !== undefined) {
      this.fail(new RunnerError(reply.gone, { code: 'ERR_COMPONENT_LOST' }))
    } else if (reply.re === undefined) {
      this.#onReport(header as HelperReport, buffers)
    } else {
      const request = this.#requests.get(reply.re)
      this.#requests.delete(reply.re)
      if (reply.error === undefined) request?.resolve({ ok: reply.ok, buffers })
      else request?.reject(new RequestError(reply.error))
    }
  }

  #updateHold(): void {
    // A duplex over a socket: TypeScript knows it as a stream only.
    const pipe = this.#pipe as Duplex & { ref(): void; unref(): void }
    if (this.#waiting === 0) pipe.unref()
    else pipe.ref()
  }
}

/** An order that failed in the helper process; whoever gave it says what it was for. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly failure: FailedOrder

  constructor(failure: FailedOrder) {
    super(`${failure.type}: ${failure.text}`)
    this.failure = failure
  }
}

function lostHelper(how: string, lastLines: readonly string[]): RunnerError {
  const words = lastLines.at(-1)
  return new RunnerError(
    `Lost the client's Python process: it ${how}${words === undefined ? '' : `; its last words: ${words}`}`,
    { code: 'ERR_COMPONENT_LOST', lastLines },
  )
}
