import { constants } from 'node:os'
import type { RunReport } from '../record/run-report.ts'
import { formatSpan } from './words.ts'

/** How long a run took, in seconds. */
export function spanOf({ began, ended }: Pick<RunReport, 'began' | 'ended'>): number {
  return Math.max(0, Date.parse(ended) - Date.parse(began)) / 1_000
}

/** A sentence on how the run ended. */
export function formatEnding(report: Pick<RunReport, 'status' | 'failure' | 'began' | 'ended'>): string {
  const { status, failure } = report
  const span = formatSpan(spanOf(report))
  if (failure !== null) return `The run failed after ${span}, with status ${status}: ${failure.message}.`
  if (status === 0) return `The run ended well after ${span}, with status 0.`
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0]
  if (signal !== undefined) return `The run ended after ${span} with status ${status}, as by ${signal}.`
  return `The run ended after ${span} with status ${status}, which is that of its program.`
}
