import { longestTimer } from '../../util/duration.ts'
import { askOwner } from '../../control/ask.ts'
import { ControlClient } from '../../control/control-client.ts'
import { RunnerError, errnoOf } from '../../errors.ts'
import { monotonic } from '../../util/monotonic.ts'
import { printable } from '../../util/printable.ts'
import { withIoTimeout } from '../../util/io-timeout.ts'
import { sleep, untilAborted } from '../../util/wait.ts'
import { basename, dirname } from 'node:path'
import { listDirectory } from '../../filesystem/list.ts'
import { PrivateDirectory } from '../../filesystem/private-directory.ts'
import type { ClusterRecord } from '../../record/cluster-record.ts'
import type { OutcomeRecord } from '../../record/outcome-record.ts'
import { coordinatorName, outcomeName, rendezvousPaths, runKeyOf } from '../../rendezvous/file/names.ts'
import { readCoordinator, readOutcome } from '../../rendezvous/file/run-directory.ts'

/** How long rank 0 may take to answer, and how long after that failed it is tried again. In milliseconds. */
const [longestTry, pause] = [5_000, 1_000]
/**
 * The runs that are to publish at the path of a scheduler file and have not yet. Rank 0 of each is listened to, and tells
 * of the end of its run. One that ends before it listens leaves its outcome in its directory. What an earlier run has
 * left ends no wait: no rank 0 of it answers, and its directory was there before.
 */
export class StartingRun implements Disposable {
  readonly #path: string
  /** Aborted with the reason when the run has ended. */
  readonly #over = new AbortController()
  readonly #disposed = new AbortController()
  /** Keys of the runs that had a directory when the wait began. */
  #earlier: ReadonlySet<string> | undefined
  /** Keys of the runs that are being looked at, and of those that are listened to. */
  readonly #lookingAt = new Set<string>()
  readonly #listeningTo = new Set<string>()
  #isListing = false
  #listedAt = -Infinity

  /** @param path the absolute path of the scheduler file */
  constructor(path: string) {
    this.#path = path
  }

  /** Looks for runs, where it has not just done so. Nothing is waited for. */
  look(): void {
    if (this.#isListing || monotonic() - this.#listedAt < pause) return
    this.#isListing = true
    // What goes wrong is tried again.
    void this.#list()
      .catch(() => undefined)
      .finally(() => {
        this.#isListing = false
        this.#listedAt = monotonic()
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

  async #list(): Promise<void> {
    const runs = await this.#read(listRuns(this.#path))
    this.#earlier ??= new Set(runs)
    for (const runKey of runs) {
      if (this.#lookingAt.has(runKey)) continue
      this.#lookingAt.add(runKey)
      void this.#lookAt(runKey)
        .catch(() => undefined)
        .finally(() => {
          this.#lookingAt.delete(runKey)
          this.#listeningTo.delete(runKey)
        })
    }
  }

  async #lookAt(runKey: string): Promise<void> {
    const { coordinator, outcome } = await this.#read(readStartingRun(this.#path, runKey))
    if (coordinator !== undefined) {
      const signal = this.#disposed.signal
      using client = await ControlClient.open(coordinator, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(longestTry)]),
      })
      this.#listeningTo.add(runKey)
      const result = await untilAborted(client.ended, signal)
      this.#listeningTo.delete(runKey)
      if (result !== undefined) this.#end(runKey, result.failure?.message ?? 'it is over')
      else if ((await askOwner(coordinator)) === 'gone') this.#end(runKey, `its rank 0 on ${coordinator.host} is gone`)
    } else if (outcome !== undefined && this.#earlier?.has(runKey) !== true)
      this.#end(runKey, outcome.failure?.message ?? 'it is over')
  }

  /** One that hangs holds a thread of this process, so that no time limit has it tried again. */
  async #read<T>(reading: Promise<T>): Promise<T> {
    const late = (): Error => new Error('its filesystem does not answer')
    return await withIoTimeout(reading, longestTimer, late, this.#disposed.signal)
  }

  #end(runKey: string, why: string): void {
    // Another may still publish there.
    if (this.#listeningTo.size > 0) return
    const message = `Cannot wait for the cluster of "${this.#path}": run ${printable(runKey)} has ended before it was there: ${printable(why)}`
    this.#over.abort(new RunnerError(message, { code: 'ERR_COMPONENT_LOST' }))
  }
}

/** What a run that is to publish at the path of a scheduler file has left in its directory beside it. */
interface StartingRunFiles {
  /** Where its rank 0 listens. */
  readonly coordinator?: ClusterRecord | undefined
  readonly outcome?: OutcomeRecord | undefined
}

/** Keys of the runs that have a directory beside a scheduler file. */
async function listRuns(schedulerFile: string): Promise<readonly string[]> {
  const names = await listDirectory(dirname(schedulerFile)).catch(noneWhereMissing)
  return names.flatMap((name) => runKeyOf(name, basename(schedulerFile)) ?? [])
}

function noneWhereMissing(error: unknown): string[] {
  if (errnoOf(error) === 'ENOENT') return []
  throw error
}

/**
 * Reads once what a run has left in its directory. That of a run which only adds workers to a cluster is nobody's word
 * of the cluster, and nothing that cannot be read is.
 */
async function readStartingRun(schedulerFile: string, runKey: string): Promise<StartingRunFiles> {
  const directory = new PrivateDirectory(rendezvousPaths(schedulerFile, runKey).runDirectory)
  const names = await directory.list()
  const read = async (name: string): Promise<string> => (names.includes(name) ? await directory.read(name) : '') ?? ''
  const outcome = readOutcome(await read(outcomeName))
  const coordinator = readCoordinator(await read(coordinatorName))
  return {
    ...(outcome?.run_key === runKey && outcome.adds_workers !== true && { outcome }),
    ...(coordinator?.run_key === runKey && coordinator.adds_workers !== true && { coordinator }),
  }
}
