import type { SchedulerLink } from '../dask/scheduler-link.ts'
import type { Answer } from './look.ts'

/** Between two looks, with few workers. In milliseconds. */
const fewWorkersMs = 2_000

/**
 * What a worker adds to that. Dask 2022.12 takes 7 µs to tell of each, in 750 bytes, and more where each tells of its
 * transfers with all the others: the scheduler spends a thousandth of its time on us, or less. In milliseconds.
 */
const eachWorkerMs = 10

/** Until the next look at so many workers. In milliseconds. */
export function samplingInterval(workers: number): number {
  return Math.max(fewWorkersMs, workers * eachWorkerMs)
}

/** What a {@link Sampler} asks, and whom it tells. */
export interface SamplerParts {
  readonly link: Pick<SchedulerLink, 'call' | typeof Symbol.dispose>
  /** Whether the scheduler is of this run: then it counts its tasks for us. */
  readonly countsTasks: boolean
  readonly onAnswer: (answer: Answer) => void
}

/**
 * Asks the scheduler again and again how the cluster is. It is no client of Dask's, keeps no process alive, and what it
 * does not hear it does without.
 */
export class Sampler implements Disposable {
  readonly #parts: SamplerParts
  #timer: NodeJS.Timeout | undefined
  #hasEnded = false

  constructor(parts: SamplerParts) {
    this.#parts = parts
  }

  start(): void {
    void this.#lookAgain()
  }

  /** The run ends: looks once more, while there is a scheduler, and does not wait for it. */
  finish(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearTimeout(this.#timer)
    void this.#look()
  }

  /** Nothing is asked any more, nor heard. */
  [Symbol.dispose](): void {
    this.#hasEnded = true
    clearTimeout(this.#timer)
    this.#parts.link[Symbol.dispose]()
  }

  async #lookAgain(): Promise<void> {
    const workers = await this.#look()
    if (this.#hasEnded) return
    this.#timer = setTimeout(() => void this.#lookAgain(), samplingInterval(workers))
    this.#timer.unref()
  }

  /** @returns how many workers there are */
  async #look(): Promise<number> {
    const { link, countsTasks, onAnswer } = this.#parts
    try {
      const answer = await link.call(async (client) => ({
        identity: await client.identity(),
        tasks: countsTasks ? await client.taskCounts() : undefined,
      }))
      onAnswer(answer)
      return Object.keys(answer.identity.workers).length
    } catch {
      // It is busy, or has ended.
      return 0
    }
  }
}
