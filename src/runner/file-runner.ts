import { join } from 'node:path'
import { reachDask } from '../control/reach.ts'
import { askOwner } from '../control/ask.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { RunnerOptions } from '../options.ts'
import type { OutcomeRecord } from '../record/outcome-record.ts'
import type { Owner } from '../record/owner.ts'
import type { PublishedFile, SchedulerFile } from '../record/scheduler-file.ts'
import { FileStore } from '../rendezvous/file-store.ts'
import { findExistingCluster } from '../rendezvous/existing.ts'
import type { Found } from '../record/found.ts'
import { BaseRunner } from './base.ts'
import type { RunContext } from './context.ts'
import type { Leavings } from './hooks.ts'

/** A runner whose processes find each other through the scheduler file on a filesystem they share. */
export abstract class FileRunner<O extends RunnerOptions = RunnerOptions> extends BaseRunner<O> {
  #store: FileStore | undefined

  protected override async prepare(run: RunContext): Promise<void> {
    const { options, identity, schedulerFile, logger } = run
    const { runKey, size, nodes, rank, host } = identity
    this.#store = new FileStore({
      schedulerFile,
      runKey: formatRunKey(runKey),
      size,
      nodes,
      me: { rank, node: host },
      watch: options.watch,
      pollInterval: options.pollInterval,
      logger,
      ask: askOwner,
      connect: async (address) => await reachDask(address),
      isOver: (key) => earlierStarts(run).has(key),
    })
    await this.#store.join()
  }

  protected override async claim(owner: Owner, run: RunContext): Promise<void> {
    await this.#files.claim(owner, { signal: run.signal })
  }

  protected override async findExisting(run: RunContext): Promise<SchedulerFile> {
    const { options, schedulerFile, signal } = run
    return await findExistingCluster(schedulerFile, {
      connect: async (address) => await reachDask(address),
      timeout: options.rendezvousTimeout,
      signal,
    })
  }

  protected override async publish(file: PublishedFile, run: RunContext): Promise<void> {
    await this.#files.publish(file, { publicToo: run.options.scheduler })
  }

  protected override async publishOutcome(outcome: OutcomeRecord): Promise<void> {
    await this.#store?.publishOutcome(outcome)
  }

  protected override publishOutcomeAtOnce(outcome: OutcomeRecord): void {
    this.#store?.publishOutcomeAtOnce(outcome)
  }

  protected override async lookUp(run: RunContext, dead: ReadonlySet<string>): Promise<Found> {
    const { rendezvousTimeout } = run.options
    // Where a record was dead, process 0 of this run is either about to replace it or gone.
    const timeout = dead.size === 0 ? rendezvousTimeout : Math.min(rendezvousTimeout, replacementTimeout)
    return await this.#files.lookUp({ timeout, signal: run.signal, except: dead })
  }

  protected override async withdraw(_run: RunContext, tombstone: OutcomeRecord | undefined): Promise<void> {
    await this.#store?.withdraw({ tombstone })
  }

  protected override async whyNobodyComes(): Promise<Error | undefined> {
    return await this.#store?.lonelyError()
  }

  protected override async depart({ identity }: RunContext): Promise<void> {
    await this.#store?.depart(identity.rank)
  }

  protected override async departed(): Promise<readonly number[]> {
    return (await this.#store?.departed()) ?? []
  }

  protected override leavings(run: RunContext): Leavings {
    const { claim, runDirectory } = this.#files.paths
    return {
      files: run.options.scheduler ? [run.schedulerFile, claim] : [],
      directories: [runDirectory],
      note: join(runDirectory, 'failed-69-process-0-was-killed'),
    }
  }

  get #files(): FileStore {
    if (this.#store === undefined) throw new TypeError('Cannot use the scheduler file: the runner has not started')
    return this.#store
  }
}

/** How long a dead record of this run's own key may stand before process 0 counts as gone. In milliseconds. */
const replacementTimeout = 15_000

/** Run keys of the same step before the workload manager restarted the job: those runs are over. */
function earlierStarts({ identity }: RunContext): ReadonlySet<string> {
  const { runKey } = identity
  return new Set(Array.from({ length: runKey.restart }, (_, restart) => formatRunKey({ ...runKey, restart })))
}
