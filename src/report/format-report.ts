import type { RunReport } from '../record/run-report.ts'

/** A report as JSON, indented; a list of numbers is one line. */
export function formatReport(report: RunReport): string {
  const text = JSON.stringify(report, undefined, 2)
  // An end of a line stands in no text of JSON: it is written as \n there.
  return `${text.replaceAll(/\[\n([^[\]{}"]*)\n\s*\]/g, (_, inside: string) => `[${inside.trim().replaceAll(/\s+/g, ' ')}]`)}\n`
}
