import { askOwner } from '../../control/ask.ts'
import { ControlClient } from '../../control/control-client.ts'
import { RunnerError } from '../../errors.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import { readGatherer, readOutcome } from '../../rendezvous/run-directory.ts'
import { monotonic } from '../../util/monotonic.ts'
import { printable } from '../../util/printable.ts'
import { withIoTimeout } from '../../util/io-timeout.ts'
import { sleep, untilAborted } from '../../util/wait.ts'
import type { NoCluster } from './no-cluster.ts'
import type { Contents } from './read-path.ts'
import { readOutcomeOf, readStartingRun } from './read-starting-run.ts'

/** How long process 0 may take to answer, and how long after that failed it is tried again. In milliseconds. */
const [longestTry, pause] = [5_000, 1_000]
/** The longest that Node's timers take. In milliseconds. */
const longestTimer = 2 ** 31 - 1

/**
 * The run that is to publish at the path of a scheduler file and has not yet. Where it holds the path, its process 0 is listened
 * to, and tells of the end of the run. One that ends before that leaves its outcome in its directory. What an earlier run has
 * left ends no wait: no process 0 of it answers, and its directory was there before.
 */
export class StartingRun implements Disposable {
  readonly #path: string
  /** Aborted with the reason when the run has ended. */
  readonly #over = new AbortController()
  readonly #disposed = new AbortController()
  /** Keys of the runs that had a directory when the wait began. */
  #earlier: ReadonlySet<string> | undefined
  /** Keys of the runs whose outcome is being read. */
  readonly #reading = new Set<string>()
  #isTrying = false
  #triedAt = -Infinity

  /** @param path the absolute path of the scheduler file */
  constructor(path: string) {
    this.#path = path
  }

  /** Looks for the run, unless it is listened to already. Nothing is waited for. @param seen what stands at the path */
  look(seen: NoCluster): void {
    if (seen.kind === 'missing') {
      const { runs = [] } = seen
      this.#earlier ??= new Set(runs)
      if (seen.claimed !== true) {
        for (const run of runs) if (!this.#earlier.has(run)) this.#lookForOutcome(run).catch(() => undefined)
        return
      }
    }
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
    const contents = await this.#read(readStartingRun(this.#path))
    const record = contents.kind === 'text' ? readGatherer(contents.text) : undefined
    if (record === undefined) return
    using client = await ControlClient.open(record, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(longestTry)]),
    })
    const result = await untilAborted(client.ended, signal)
    if (result !== undefined) this.#end(record, result.failure?.message ?? 'it is over')
    else if ((await askOwner(record)) === 'gone') this.#end(record, `its process 0 on ${record.host} is gone`)
  }

  async #lookForOutcome(runKey: string): Promise<void> {
    if (this.#reading.has(runKey)) return
    this.#reading.add(runKey)
    try {
      const contents = await this.#read(readOutcomeOf(this.#path, runKey))
      const outcome = contents.kind === 'text' ? readOutcome(contents.text) : undefined
      if (outcome?.run_key !== runKey || outcome.adds_workers === true) return
      this.#end(outcome, outcome.failure?.message ?? 'it is over')
    } finally {
      this.#reading.delete(runKey)
    }
  }

  /** One that hangs holds a thread of this process, so that no time limit has it tried again. */
  async #read(reading: Promise<Contents>): Promise<Contents> {
    const late = (): Error => new Error('its filesystem does not answer')
    return await withIoTimeout(reading, longestTimer, late, this.#disposed.signal)
  }

  #end({ run_key }: Pick<ClusterRecord, 'run_key'>, why: string): void {
    const message = `Cannot wait for the cluster of "${this.#path}": run ${printable(run_key)} has ended before it was there: ${printable(why)}`
    this.#over.abort(new RunnerError(message, { code: 'ERR_COMPONENT_LOST' }))
  }
}
