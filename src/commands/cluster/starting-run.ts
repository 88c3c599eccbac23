import { askOwner } from '../../control/ask.ts'
import { Visit } from '../../control/visit.ts'
import { RunnerError } from '../../errors.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import { readGatherer } from '../../rendezvous/run-directory.ts'
import { monotonic } from '../../util/monotonic.ts'
import { printable } from '../../util/printable.ts'
import { sleep, untilAborted } from '../../util/wait.ts'
import { readStartingRunApart } from './reader.ts'

/** How long process 0 may take to answer, and how long after that failed it is tried again. In milliseconds. */
const [longestTry, pause] = [5_000, 1_000]

/**
 * The run that holds the path of a scheduler file and has not published there yet. Its process 0 is listened to, and tells
 * of the end of the run. What an earlier run has left ends no wait, since no process 0 of it answers.
 */
export class StartingRun implements Disposable {
  readonly #path: string
  /** Aborted with the reason when the run has ended. */
  readonly #over = new AbortController()
  readonly #disposed = new AbortController()
  #isTrying = false
  #triedAt = -Infinity

  /** @param path the absolute path of the scheduler file */
  constructor(path: string) {
    this.#path = path
  }

  /** Looks for the run, unless it is listened to already. Nothing is waited for. */
  look(): void {
    if (this.#isTrying || monotonic() - this.#triedAt < pause) return
    this.#isTrying = true
    // What goes wrong is tried again.
    void this.#listen()
      .catch(() => undefined)
      .finally(() => {
        this.#isTrying = false
        this.#triedAt = monotonic()
      })
  }

  /**
   * Sleeps until the run ends, and so long at most.
   *
   * @throws RunnerError ERR_COMPONENT_LOST with the cause where it has ended, or the signal's reason.
   */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await sleep(ms, AbortSignal.any([signal, this.#over.signal])).catch((error: unknown) => {
      signal.throwIfAborted()
      this.#over.signal.throwIfAborted()
      throw error
    })
  }

  [Symbol.dispose](): void {
    this.#disposed.abort()
  }

  async #listen(): Promise<void> {
    const signal = this.#disposed.signal
    const contents = await readStartingRunApart(this.#path)
    const record = contents.kind === 'text' ? readGatherer(contents.text) : undefined
    if (record === undefined) return
    using visit = await Visit.open(record, { signal: AbortSignal.any([signal, AbortSignal.timeout(longestTry)]) })
    const verdict = await untilAborted(visit.ended, signal)
    if (verdict !== undefined) this.#end(record, verdict.failure?.message ?? 'it is over')
    else if ((await askOwner(record)) === 'gone') this.#end(record, `its process 0 on ${record.host} is gone`)
  }

  #end({ run_key }: ClusterRecord, why: string): void {
    const message = `Cannot wait for the cluster of "${this.#path}": run ${printable(run_key)} has ended before it was there: ${printable(why)}`
    this.#over.abort(new RunnerError(message, { code: 'ERR_COMPONENT_LOST' }))
  }
}
