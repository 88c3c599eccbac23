import { formatDuration } from '../util/duration.ts'
import { monotonic } from '../util/monotonic.ts'
import { sleep } from '../util/wait.ts'
import type { AnswerOptions } from './connection.ts'
import { DaskError } from './errors.ts'

/** Who is asked. */
interface Scheduler {
  readonly address: string
  runningWorkers(options: AnswerOptions): Promise<ReadonlyMap<string, number>>
}

/** How to wait for workers. */
export interface WaitForWorkersOptions {
  /** Milliseconds until they have to be there. */
  readonly timeout: number
  /** Milliseconds from one request to the next, of some 30 bytes for each worker: half of them to one and a half. @default 1000 */
  readonly intervalMs?: number
  /** Called with the number of running workers, at first and whenever it has changed. */
  readonly onProgress?: (running: number) => void
  readonly signal?: AbortSignal
}

/**
 * Waits until `count` workers are registered and running. One small request is under way at a time.
 *
 * @returns the number of workers that run.
 * @throws DaskError `silent` where they are not there in time, or where the scheduler does not answer.
 */
export async function waitForWorkers(
  client: Scheduler,
  count: number,
  options: WaitForWorkersOptions,
): Promise<number> {
  const { timeout, intervalMs = 1_000, onProgress, signal } = options
  const end = monotonic() + timeout
  const left = (): number => Math.max(1, end - monotonic())
  // A timer may be a millisecond early.
  const isOver = (): boolean => end - monotonic() < 2
  const tooFew = (running: number, cause?: unknown): DaskError =>
    new DaskError(
      `Cannot go on without ${count} workers: ${running} of them run at ${client.address} after ${formatDuration(timeout)}`,
      { reason: 'silent', address: client.address, cause },
    )
  let before: number | undefined
  for (;;) {
    let running: number
    try {
      const wait = { timeout: left(), ...(signal && { signal }) }
      running = (await client.runningWorkers(wait)).size
    } catch (error) {
      // A request near the end has little time left: what came of the one before is the better answer.
      const isLate = error instanceof DaskError && error.reason === 'silent' && isOver()
      throw isLate && before !== undefined ? tooFew(before, error) : error
    }
    if (running !== before) onProgress?.(running)
    before = running
    if (running >= count) return running
    // Many that began together do not ask together for ever.
    await sleep(Math.min(intervalMs * (0.5 + Math.random()), left()), signal)
    if (isOver()) throw tooFew(running)
  }
}
