import { messageOf } from '../errors.ts'
import { nameOf } from '../options.ts'
import { atTime } from '../util/at-time.ts'
import { formatDuration } from '../util/duration.ts'
import type { Coordinator } from './coordinator.ts'
import type { RunParts } from './run-parts.ts'
import type { JobEnd } from './workload-manager.ts'

/**
 * What rank 0 does about the end of the job: it tells everybody when that is, and with `--end-before` ends the run before
 * it. The clock of rank 0 counts, and no part of the run waits for the answer.
 */
export class JobEndWatch implements Disposable {
  readonly #run: Pick<RunParts, 'context' | 'shutdown' | 'supervisor'>
  readonly #over = new AbortController()
  readonly #end: Promise<JobEnd>

  /** Asks when the job ends. */
  constructor(run: Pick<RunParts, 'context' | 'manager' | 'shutdown' | 'supervisor'>) {
    this.#run = run
    this.#end = run.manager.jobEnd(this.#over.signal).catch((error: unknown): JobEnd => ({ why: messageOf(error) }))
  }

  /** Does it as soon as the end of the job is known. */
  async heed(coordinator: Pick<Coordinator, 'tellEndTime'>): Promise<void> {
    const end = await this.#end
    if (this.#over.signal.aborted) return
    if ('at' in end) coordinator.tellEndTime(Math.floor(end.at / 1000))
    const { options, logger } = this.#run.context
    const { endBefore } = options
    if (endBefore === undefined) return
    if ('why' in end) {
      logger.warn(
        `${nameOf(options, 'endBefore')} ${formatDuration(endBefore)} has no effect: it is not known when the job ends, because ${end.why}`,
      )
      return
    }
    const endRun = (): void => {
      this.#endRun(end.at)
    }
    atTime(end.at - endBefore, endRun, this.#over.signal)
  }

  /** As a signal from the workload manager would. */
  #endRun(jobEnd: number): void {
    const { context, shutdown, supervisor } = this.#run
    if (supervisor.isEnding || shutdown.signal !== undefined) return
    const left = Math.max(0, Math.round((jobEnd - Date.now()) / 1000)) * 1000
    const option = nameOf(context.options, 'endBefore')
    context.logger.info(`the job ends in ${formatDuration(left)}: ${option} ends the run now, as SIGTERM would`)
    shutdown.interrupt('SIGTERM')
  }

  [Symbol.dispose](): void {
    this.#over.abort()
  }
}
