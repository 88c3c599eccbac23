import type { Verdict } from '../control/messages.ts'
import { messageOf } from '../errors.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { PublishedFile } from '../record/scheduler-file.ts'
import { publishFile } from '../rendezvous/publish.ts'
import { sayDuration } from '../util/duration.ts'
import { absolutePath } from '../util/surroundings.ts'
import { answered } from '../util/unanswered.ts'
import type { RunContext } from './context.ts'

/** What a report is made of. */
export interface RunReport {
  readonly run: RunContext
  readonly verdict: Verdict
  /** Exit status of the process that writes. */
  readonly status: number
  /** Undefined where there never was a cluster. */
  readonly file: PublishedFile | undefined
  readonly began: Date
  /** Ranks that fell silent. */
  readonly silent: readonly number[]
}

/**
 * Writes to `path` how a run ended, as JSON, all of it at once:
 * `{version, run_key, status, failure, silent, processes, workers, scheduler_file, scheduler_address, began, ended}`.
 * `status` is the run's, `failure` its cause where it failed. Where that cannot be written, a warning is all.
 */
export async function leaveReport(
  path: string,
  { run, verdict, status, file, began, silent }: RunReport,
): Promise<void> {
  const report = {
    version: 1,
    run_key: formatRunKey(run.identity.runKey),
    status: verdict.failure === undefined ? verdict.status : status,
    failure: verdict.failure ?? null,
    silent,
    processes: run.identity.size,
    workers: file?.dask_hpc_runner.n_workers ?? null,
    scheduler_file: run.schedulerFile,
    scheduler_address: file?.address ?? null,
    began: began.toISOString(),
    ended: new Date().toISOString(),
  }
  try {
    const { filesystemTimeout } = run.options
    const late = (): Error => new Error(`its filesystem has not answered for ${sayDuration(filesystemTimeout)}`)
    const written = publishFile(absolutePath(path), `${JSON.stringify(report, undefined, 2)}\n`)
    await answered(written, filesystemTimeout, late)
  } catch (error) {
    run.logger.warn(`Cannot write the report "${path}": ${messageOf(error)}`)
  }
}
