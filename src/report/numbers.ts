import type { Curve } from '../record/run-report.ts'

/** What can be said of a curve in words. */
export interface Extent {
  readonly least: number
  readonly most: number
  readonly mean: number
}

/** Undefined where nothing of it was seen. */
export function extentOf(curve: Curve | undefined): Extent | undefined {
  if (curve === undefined) return undefined
  const means = seen(curve.mean)
  if (means.length === 0) return undefined
  return {
    least: seen(curve.least ?? curve.mean).reduce((a, b) => Math.min(a, b)),
    most: mostOf(seen(curve.most ?? curve.mean)),
    mean: means.reduce((a, b) => a + b, 0) / means.length,
  }
}

/** The highest of them, or 0. */
export function mostOf(numbers: readonly (number | null)[]): number {
  return numbers.reduce<number>((most, each) => Math.max(most, each ?? 0), 0)
}

function seen(numbers: readonly (number | null)[]): readonly number[] {
  return numbers.filter((each) => each !== null)
}
