import { formatBytes } from '../util/format.ts'
import { formatNumber } from './words.ts'

/** What the numbers of a chart are. */
export type Unit = 'count' | 'cpus' | 'bytes' | 'bytes a second'

export function formatValue(value: number, unit: Unit): string {
  if (unit === 'bytes') return formatBytes(value)
  if (unit === 'bytes a second') return `${formatBytes(value)}/s`
  return formatNumber(value)
}

/** An axis: its end, and where it has lines. */
export interface Scale {
  readonly end: number
  readonly ticks: readonly number[]
}

/** Lines of an axis, at most. */
const mostTicks = 4

/** An axis from 0 that has room for `most`, with lines at round numbers. */
export function valueScale(most: number, unit: Unit): Scale {
  const base = unit.startsWith('bytes') && most >= 1 ? 1024 ** Math.floor(Math.log2(most) / 10) : 1
  const step = roundStep(most / base / mostTicks, unit === 'count' ? 1 : 0) * base
  const lines = Math.max(1, Math.ceil(most / step - 1e-9))
  return { end: lines * step, ticks: Array.from({ length: lines + 1 }, (_, i) => i * step) }
}

/** The next of 1, 2, 5, 10, … */
function roundStep(raw: number, least: number): number {
  if (raw <= 0) return Math.max(1, least)
  const power = 10 ** Math.floor(Math.log10(raw))
  const factor = [1, 2, 5].find((each) => each * power >= raw * 0.999) ?? 10
  return Math.max(least, factor * power)
}

const timeSteps = [
  ...[0.5, 1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60),
  ...[1, 2, 3, 6, 12].map((hours) => hours * 3_600),
  ...[1, 2, 5, 10, 20, 50, 100].map((days) => days * 86_400),
]

/** The axis of a run's time, in seconds. */
export function timeScale(end: number): Scale {
  const step = timeSteps.find((each) => end / each <= mostTicks + 0.5) ?? Math.max(1, end)
  const lines = Math.floor(end / step)
  return { end, ticks: Array.from({ length: lines + 1 }, (_, i) => i * step) }
}
