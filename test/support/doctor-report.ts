import { expect } from 'vitest'

/** Checks that the doctor has found nothing, except that a busy machine is slow. */
export function expectNothingFound(report: string): void {
  const found = report.match(/^(warning|problem) .*$/gm) ?? []
  expect(
    found.filter((line) => !line.includes('is slow: it took ')),
    report,
  ).toEqual([])
  if (found.length === 0) expect(report.match(/^Nothing was found that would go wrong\.$/gm), report).toHaveLength(1)
}
