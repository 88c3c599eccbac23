import { defaults } from '../defaults.ts'
import { RunnerError } from '../errors.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import type { PresentWorkers } from '../record/present-workers.ts'
import { formatDuration } from '../util/duration.ts'
import type { TlsMaterial } from '../util/tls-files.ts'
import { deadline } from '../util/wait.ts'
import { Mailbox } from './channel.ts'
import type { FromCoordinator, RunResult } from './messages.ts'
import { formatRank0, notReached, openChannel, type Rank0SocketChannel } from './open-channel.ts'

/** How a control client waits. In milliseconds. */
export interface ControlWait {
  readonly timeout: number
  readonly signal?: AbortSignal
}

/**
 * The channel to rank 0 of a run of a command beside it that has read its record: it waits for the cluster, or ends it.
 */
export class ControlClient implements Disposable {
  readonly #channel: Rank0SocketChannel
  readonly #workers = new Mailbox<Extract<FromCoordinator, { type: 'workers' }>>()
  readonly #present = new Mailbox<PresentWorkers>()
  readonly #certificates = new Mailbox<TlsMaterial>()
  readonly #where: string
  readonly #ended: Promise<RunResult | undefined>

  private constructor(channel: Rank0SocketChannel, where: string) {
    this.#channel = channel
    this.#where = where
    this.#ended = new Promise((resolve) => {
      channel.onMessage((message) => {
        if (message.type === 'end') resolve(message)
        else if (message.type === 'workers') this.#workers.put(message)
        else if (message.type === 'present') this.#present.put(message)
        else if (message.type === 'certificates') this.#certificates.put(message)
      })
      void channel.closed.then(() => {
        resolve(undefined)
      })
    })
  }

  /**
   * Connects to rank 0 of the run that `record` describes.
   *
   * @throws RunnerError ERR_UNAVAILABLE where it cannot be reached or something else answers there.
   */
  static async open(record: ClusterRecord, { signal }: { readonly signal?: AbortSignal } = {}): Promise<ControlClient> {
    const opened = await openChannel(record, {
      purpose: 'observe',
      secret: record.secret,
      answerTimeout: defaults.connectTimeout * 3,
      signal,
    })
    if (typeof opened === 'string') throw notReached('ask', record, opened)
    return new ControlClient(opened, formatRank0(record))
  }

  /**
   * Waits until so many workers run, or `all` that the run starts. Rank 0 asks the scheduler, once
   * for everybody who waits.
   *
   * @returns the number of workers that run.
   * @throws RunnerError ERR_TIMED_OUT where they do not come in time, ERR_COMPONENT_LOST where the run ends,
   * ERR_UNAVAILABLE where rank 0 went away without telling it.
   */
  async waitForWorkers(
    count: number | 'all',
    { timeout, onProgress, signal }: ControlWait & { readonly onProgress?: (running: number, wanted: number) => void },
  ): Promise<number> {
    this.#channel.send({ type: 'await-workers', count: count === 'all' ? null : count })
    let last = `nothing was heard of them`
    const come = async (): Promise<number> => {
      for (;;) {
        const { running, wanted } = await this.#unlessEnded(this.#workers.next())
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
  async presentWorkers({ timeout, signal }: ControlWait): Promise<PresentWorkers> {
    this.#channel.send({ type: 'list-workers' })
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
  async certificates({ timeout, signal }: ControlWait): Promise<TlsMaterial> {
    this.#channel.send({ type: 'get-certificates' })
    const late = (): Error =>
      new RunnerError(
        `Cannot get the certificates of the run: ${this.#where} has not given them within ${formatDuration(timeout)}`,
        { code: 'ERR_TIMED_OUT' },
      )
    return await deadline(this.#unlessEnded(this.#certificates.next()), timeout, late, signal)
  }

  /**
   * Ends the run, as a TERM does: its client program first.
   *
   * @returns the status that the run ends with; undefined where rank 0 went away without telling it.
   * @throws RunnerError ERR_TIMED_OUT where it has not ended in time.
   */
  async stop({ timeout, signal }: ControlWait): Promise<number | undefined> {
    this.#channel.send({ type: 'stop' })
    const late = (): Error =>
      new RunnerError(
        `Cannot see the end of the run: ${this.#where} was told to end it and is still there; it ends as soon as it can`,
        { code: 'ERR_TIMED_OUT' },
      )
    const over = this.#channel.closed.then(async () => await this.#ended)
    return (await deadline(over, timeout, late, signal))?.status
  }

  /** How the run ended; undefined where rank 0 went away without telling it. Pending until then, and for ever once disposed of before. */
  get ended(): Promise<RunResult | undefined> {
    return this.#ended
  }

  [Symbol.dispose](): void {
    this.#channel.destroy()
  }

  async #unlessEnded<T>(heard: Promise<T>): Promise<T> {
    const ended = this.#ended.then((result): never => {
      if (result === undefined)
        throw new RunnerError(`Cannot wait for the workers of a run: ${this.#where} is gone`, {
          code: 'ERR_UNAVAILABLE',
        })
      const why = result.failure?.message ?? 'it has ended'
      throw new RunnerError(`Cannot wait for the workers of a run that is over: ${why}`, { code: 'ERR_COMPONENT_LOST' })
    })
    return await Promise.race([heard, ended])
  }
}
