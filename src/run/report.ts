import * as z from 'zod/mini'
import type { RunResult } from '../control/messages.ts'
import { errnoOf } from '../errors.ts'
import { replaceFile } from '../filesystem/replace-file.ts'
import { readOwn } from '../filesystem/read-own.ts'
import { formatSystemError } from '../filesystem/system-error.ts'
import { UntrustedError } from '../filesystem/untrusted.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { PublishedFile } from '../record/scheduler-file.ts'
import { formatDuration } from '../util/duration.ts'
import { absolutePath } from '../util/surroundings.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import type { RunContext } from '../identity/run-context.ts'

/** What a report is made of. */
export interface RunReport {
  readonly run: RunContext
  readonly result: RunResult
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
 * `status` is the run's, `failure` its cause where it failed. Where that cannot be written, or something stands
 * there that is no such report, a warning is all.
 */
export async function leaveReport(
  path: string,
  { run, result, status, file, began, silent }: RunReport,
): Promise<void> {
  const report = {
    version: 1,
    run_key: formatRunKey(run.identity.runKey),
    status: result.failure === undefined ? result.status : status,
    failure: result.failure ?? null,
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
    const late = (): Error => new Error(`its filesystem has not answered for ${formatDuration(filesystemTimeout)}`)
    const written = replaceReport(absolutePath(path), `${JSON.stringify(report, undefined, 2)}\n`)
    await withIoTimeout(written, filesystemTimeout, late)
  } catch (error) {
    run.logger.warn(`Cannot write the report "${path}": ${formatSystemError(error)}`)
  }
}

/** Puts a report at `path`, in the place of nothing, of an empty file, or of another report. */
async function replaceReport(path: string, text: string): Promise<void> {
  if (!(await mayReplace(path))) throw new UntrustedError('what stands there is no report, and is left alone')
  await replaceFile(path, text)
}

async function mayReplace(path: string): Promise<boolean> {
  try {
    const old = await readOwn(path)
    return old.trim() === '' || isReport(old)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true
    throw error
  }
}

/** Whether a text is that of a report, which another one may replace. */
export function isReport(text: string): boolean {
  try {
    return z.safeParse(z.looseObject({ version: z.literal(1), run_key: z.string() }), JSON.parse(text)).success
  } catch {
    return false
  }
}
