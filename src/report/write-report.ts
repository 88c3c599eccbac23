import * as z from 'zod/mini'
import { errnoOf } from '../errors.ts'
import { readOwn } from '../filesystem/read-own.ts'
import { replaceFile } from '../filesystem/replace-file.ts'
import { UntrustedError } from '../filesystem/untrusted.ts'
import type { RunReport } from '../record/run-report.ts'
import { parseAs } from '../record/schemas.ts'
import { formatPage, isReportPage } from './page.ts'

/** Writes a report to `path`, all of it at once: as a page where that ends in `.html`, else as JSON. */
export async function writeReport(path: string, report: RunReport): Promise<void> {
  if (/\.html?$/i.test(path)) await writePage(path, report)
  else await replace(path, formatReport(report), isReport)
}

/** A report as JSON, indented; a list of numbers is one line. */
export function formatReport(report: RunReport): string {
  const text = JSON.stringify(report, undefined, 2)
  // An end of a line stands in no text of JSON: it is written as \n there.
  return `${text.replaceAll(/\[\n([^[\]{}"]*)\n\s*\]/g, (_, inside: string) => `[${inside.trim().replaceAll(/\s+/g, ' ')}]`)}\n`
}

/** Writes a report as a page. */
export async function writePage(path: string, report: RunReport): Promise<void> {
  await replace(path, formatPage(report), isReportPage)
}

/** Puts a text at `path`, in the place of nothing, of an empty file, or of another one of its kind. */
async function replace(path: string, text: string, isOne: (old: string) => boolean): Promise<void> {
  const old = await readIfThere(path)
  if (old.trim() !== '' && !isOne(old)) throw new UntrustedError('what stands there is no report, and is left alone')
  await replaceFile(path, text)
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readOwn(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}

const anyReportSchema = z.looseObject({ version: z.literal(1), run_key: z.string() })

/** Whether a text is that of a report as JSON, which another one may replace. */
export function isReport(text: string): boolean {
  return parseAs(anyReportSchema, text) !== undefined
}
