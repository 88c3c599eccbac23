import { defaults } from '../defaults.ts'
import { RunnerError } from '../errors.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import type { PresentWorkers } from '../record/present-workers.ts'
import { formatDuration } from '../util/duration.ts'
import type { TlsMaterial } from '../util/tls-material.ts'
import { deadline } from '../util/wait.ts'
import { type Line, Mailbox } from './channel.ts'
import { type FromHub, fromHubSchema, type ToHub, type Verdict } from './messages.ts'
import { openChannel, whyNotOpen } from './open-channel.ts'
import { SocketChannel } from './socket-channel.ts'

/** How a visitor waits. In milliseconds. */
export interface VisitWait {
  readonly timeout: number
  readonly signal?: AbortSignal
}

/**
 * A connection to process 0 of a run by somebody beside it who has read its record: a command that
 * waits for the cluster or ends it.
 */
export class Visit implements Disposable {
  readonly #line: Line<FromHub, ToHub>
  readonly #heard = new Mailbox<FromHub>()
  readonly #present = new Mailbox<PresentWorkers>()
  readonly #where: string
  readonly #ended: Promise<Verdict | undefined>

  private constructor(channel: SocketChannel<FromHub, ToHub>, where: string) {
    this.#line = channel
    this.#where = where
    this.#ended = new Promise((resolve) => {
      channel.onMessage((message) => {
        if (message.type === 'end') resolve(message)
        else if (message.type === 'present') this.#present.put(message)
        else this.#heard.put(message)
      })
      void channel.closed.then(() => {
        resolve(undefined)
      })
    })
  }

  /**
   * Connects to process 0 of the run that `record` describes.
   *
   * @throws RunnerError ERR_UNAVAILABLE where it cannot be reached or something else answers there.
   */
  static async open(record: ClusterRecord, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Visit> {
    const where = `process 0 on ${record.host}, port ${record.control.port}`
    const opened = await openChannel(record, {
      purpose: 'observe',
      secret: record.secret,
      answerTimeout: defaults.connectTimeout * 3,
      signal,
    })
    if (typeof opened === 'string')
      throw new RunnerError(`Cannot ask ${where}: ${whyNotOpen(record, opened)}`, { code: 'ERR_UNAVAILABLE' })
    return new Visit(new SocketChannel(opened.frames, opened.session, fromHubSchema), where)
  }

  /**
   * Waits until so many workers run, or `all` that the run starts. Process 0 asks the scheduler, once
   * for everybody who waits.
   *
   * @returns the number of workers that run.
   * @throws RunnerError ERR_TIMED_OUT where they do not come in time, ERR_COMPONENT_LOST where the run ends,
   * ERR_UNAVAILABLE where process 0 went away without telling it.
   */
  async waitForWorkers(
    count: number | 'all',
    { timeout, onProgress, signal }: VisitWait & { readonly onProgress?: (running: number, wanted: number) => void },
  ): Promise<number> {
    this.#line.send({ type: 'await-workers', count: count === 'all' ? null : count })
    let last = `nothing was heard of them`
    const come = async (): Promise<number> => {
      for (;;) {
        const message = await this.#unlessEnded(this.#heard.next())
        if (message.type !== 'workers') continue
        const { running, wanted } = message
        onProgress?.(running, wanted)
        if (running >= wanted) return running
        last = `${running} of ${wanted} run`
      }
    }
    const late = (): Error =>
      new RunnerError(`Cannot wait longer for the workers: after ${formatDuration(timeout)} ${last}`, {
        code: 'ERR_TIMED_OUT',
      })
    return await deadline(come(), timeout, late, signal)
  }

  /**
   * Asks which workers there are.
   *
   * @throws RunnerError as {@link waitForWorkers} does.
   */
  async presentWorkers({ timeout, signal }: VisitWait): Promise<PresentWorkers> {
    this.#line.send({ type: 'list-workers' })
    const late = (): Error =>
      new RunnerError(`${this.#where} has not heard of them within ${formatDuration(timeout)}`, {
        code: 'ERR_TIMED_OUT',
      })
    return await deadline(this.#unlessEnded(this.#present.next()), timeout, late, signal)
  }

  /**
   * Asks for the certificates of the run.
   *
   * @throws RunnerError as {@link waitForWorkers} does.
   */
  async certificates({ timeout, signal }: VisitWait): Promise<TlsMaterial> {
    this.#line.send({ type: 'get-certificates' })
    const come = async (): Promise<TlsMaterial> => {
      for (;;) {
        const message = await this.#unlessEnded(this.#heard.next())
        if (message.type === 'certificates') return { ca: message.ca, cert: message.cert, key: message.key }
      }
    }
    const late = (): Error =>
      new RunnerError(
        `Cannot get the certificates of the run: ${this.#where} has not given them within ${formatDuration(timeout)}`,
        {
          code: 'ERR_TIMED_OUT',
        },
      )
    return await deadline(come(), timeout, late, signal)
  }

  /**
   * Ends the run, as a TERM does: its client program first.
   *
   * @returns the status that the run ends with; undefined where process 0 went away without telling it.
   * @throws RunnerError ERR_TIMED_OUT where it has not ended in time.
   */
  async stop({ timeout, signal }: VisitWait): Promise<number | undefined> {
    this.#line.send({ type: 'stop' })
    const late = (): Error =>
      new RunnerError(
        `Cannot see the end of the run: ${this.#where} was told to end it and is still there; it ends as soon as it can`,
        { code: 'ERR_TIMED_OUT' },
      )
    const over = this.#line.closed.then(async () => await this.#ended)
    return (await deadline(over, timeout, late, signal))?.status
  }

  /** How the run ended; undefined where process 0 went away without telling it. Pending until then, and for ever once disposed of before. */
  get ended(): Promise<Verdict | undefined> {
    return this.#ended
  }

  [Symbol.dispose](): void {
    this.#line.destroy()
  }

  async #unlessEnded<T>(heard: Promise<T>): Promise<T> {
    const ended = this.#ended.then((verdict): never => {
      if (verdict === undefined)
        throw new RunnerError(`Cannot wait for the workers of a run: ${this.#where} is gone`, {
          code: 'ERR_UNAVAILABLE',
        })
      const why = verdict.failure?.message ?? 'it has ended'
      throw new RunnerError(`Cannot wait for the workers of a run that is over: ${why}`, { code: 'ERR_COMPONENT_LOST' })
    })
    return await Promise.race([heard, ended])
  }
}
