import { RunnerError } from '../errors.ts'
import { formatSystemError } from '../filesystem/system-error.ts'
import { readReport } from '../report/read-report.ts'
import { writePage } from '../report/write-report.ts'
import { formatDuration } from '../util/duration.ts'
import { withIoTimeout } from '../util/io-timeout.ts'
import { absolutePath } from '../util/surroundings.ts'

/** Where a page is written. */
export interface PageOptions {
  /** @default beside the report */
  readonly output?: string | undefined
  /** Milliseconds that the filesystem may take. */
  readonly timeout: number
}

/**
 * Makes the page of a report that a run has written as JSON. Gives its path.
 *
 * @throws RangeError where there is no such report, RunnerError ERR_CANNOT_PRINT where the page cannot be written.
 */
export async function makePage(path: string, { output = pageBeside(path), timeout }: PageOptions): Promise<string> {
  const silent = `its filesystem has not answered for ${formatDuration(timeout)}`
  const late = (): Error => new RangeError(`Cannot read the report "${path}": ${silent}`)
  const report = await withIoTimeout(readReport(path), timeout, late)
  try {
    await withIoTimeout(writePage(absolutePath(output), report), timeout, () => new Error(silent))
  } catch (cause) {
    const message = `Cannot write the page "${output}": ${formatSystemError(cause)}`
    throw new RunnerError(message, { code: 'ERR_CANNOT_PRINT', cause })
  }
  return output
}

/** `run.html` of `run.json`. */
function pageBeside(path: string): string {
  return `${path.replace(/\.json$/i, '')}.html`
}
