import type { RunResult } from '../control/messages.ts'
import { formatSystemError } from '../filesystem/system-error.ts'
import { fillIn, formatRunKey } from '../identity/run-key.ts'
import type { RunContext } from '../identity/run-context.ts'
import type { Recording, RunReport } from '../record/run-report.ts'
import type { PublishedFile } from '../record/scheduler-file.ts'
import { formatDuration } from '../util/duration.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { absolutePath } from '../util/surroundings.ts'

/** What a report is made of. */
export interface EndedRun {
  readonly run: RunContext
  readonly result: RunResult
  /** Exit status of the process that writes. */
  readonly status: number
  /** Undefined where there never was a cluster. */
  readonly file: PublishedFile | undefined
  readonly began: Date
  /** Ranks that fell silent. */
  readonly silent: readonly number[]
  /** Undefined where rank 0 is lost. */
  readonly recording: Recording | undefined
}

/**
 * Writes what became of a run, each file all at once: to a path that ends in `.html` as a page, to another one as JSON.
 * Where that cannot be written, or something stands there that is no such report, a warning is all.
 */
export async function leaveReports(paths: readonly string[], ended: EndedRun): Promise<void> {
  const { options, identity, logger } = ended.run
  const { filesystemTimeout } = options
  const report = describeRun(ended)
  const late = (): Error => new Error(`its filesystem has not answered for ${formatDuration(filesystemTimeout)}`)
  const leave = async (path: string): Promise<void> => {
    try {
      const { writeReport } = await import('../report/write-report.ts')
      await withIoTimeout(writeReport(absolutePath(path), report), filesystemTimeout, late)
    } catch (error) {
      logger.warn(`Cannot write the report "${path}": ${formatSystemError(error)}`)
    }
  }
  await Promise.all(paths.map(async (path) => await leave(fillIn(path, identity.runKey))))
}

/** `status` is the run's, `failure` its cause where it failed. */
function describeRun({ run, result, status, file, began, silent, recording }: EndedRun): RunReport {
  return {
    version: 1,
    run_key: formatRunKey(run.identity.runKey),
    status: result.failure === undefined ? result.status : status,
    failure: result.failure ?? null,
    silent: [...silent],
    processes: run.identity.size,
    workers: file?.dask_hpc_runner.n_workers ?? null,
    scheduler_file: run.schedulerFile,
    scheduler_address: file?.address ?? null,
    began: began.toISOString(),
    ended: new Date().toISOString(),
    ...(recording === undefined ? {} : { recording }),
  }
}
