import * as z from 'zod/mini'
import { readOfAnybody } from '../filesystem/read-named.ts'
import { formatReadError } from '../filesystem/system-error.ts'
import { type RunReport, runReportSchema } from '../record/run-report.ts'
import { printable } from '../util/printable.ts'

/**
 * Reads a report that was written as JSON, whosever it is: it is only shown.
 *
 * @throws RangeError where there is none, or something else.
 */
export async function readReport(path: string): Promise<RunReport> {
  return parseReport(path, await readText(path))
}

async function readText(path: string): Promise<string> {
  try {
    return (await readOfAnybody(path)).text
  } catch (cause) {
    throw cannotRead(path, formatReadError(cause), cause)
  }
}

/** @throws RangeError where `text`, which stands at `path`, is no report. */
export function parseReport(path: string, text: string): RunReport {
  const parsed = z.safeParse(runReportSchema, parseJson(path, text))
  if (parsed.success) return parsed.data
  const where = parsed.error.issues[0]?.path.join('.') ?? ''
  const what = where === '' ? 'it is no object' : `its "${printable(where).slice(0, 100)}" is not as --report writes it`
  throw cannotRead(path, `it is JSON, but no report of a run: ${what}`)
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    const isPage = /^\s*<!doctype html/i.test(text)
    throw cannotRead(
      path,
      isPage ? 'it is a page already; name the report that ends in .json' : 'it is not JSON',
      cause,
    )
  }
}

function cannotRead(path: string, why: string, cause?: unknown): RangeError {
  return new RangeError(`Cannot read the report "${path}": ${why}`, { cause })
}
