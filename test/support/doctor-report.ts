import { expect } from 'vitest'

/** The warnings and problems in what the doctor has printed, but for those that a busy machine adds: it is slow. */
export function foundIn(report: string): string[] {
  const lines = report.match(/^(warning|problem) .*$/gm) ?? []
  return lines.filter((line) => !line.includes(' slow: it took '))
}

/** Checks that the doctor has found nothing. */
export function expectNothingFound(report: string): void {
  expect(foundIn(report), report).toEqual([])
  if (!/^(warning|problem) /m.test(report))
    expect(report.match(/^Nothing was found that would go wrong\.$/gm), report).toHaveLength(1)
}
