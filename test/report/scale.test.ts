import { expect, it } from 'vitest'
import { timeScale, valueScale } from '../../src/report/scale.ts'
import { formatSpan } from '../../src/report/words.ts'

const gib = 1024 ** 3

it.each([
  [0, 'count', [0, 1]],
  [1, 'count', [0, 1]],
  [3, 'count', [0, 1, 2, 3]],
  [7, 'count', [0, 2, 4, 6, 8]],
  [0.3, 'cpus', [0, 0.1, 0.2, 0.3]],
  [1_234, 'count', [0, 500, 1_000, 1_500]],
  [48 * gib, 'bytes', [0, 20 * gib, 40 * gib, 60 * gib]],
  [1_000, 'bytes', [0, 500, 1_000]],
  [0, 'bytes', [0, 1]],
] as const)('an axis that reaches %d %s has lines at round numbers', (most, unit, ticks) => {
  const { end, ticks: made } = valueScale(most, unit)
  expect(end).toBeCloseTo(ticks.at(-1) ?? 0)
  expect(made.map((each) => Number(each.toPrecision(12)))).toEqual(ticks)
})

it.each([
  [3, [0, 1, 2, 3]],
  [21.4, [0, 5, 10, 15, 20]],
  [3_700, [0, 900, 1_800, 2_700, 3_600]],
  [7 * 86_400, [0, 2, 4, 6].map((day) => day * 86_400)],
] as const)('a run of %d s has a time axis of round times', (end, ticks) => {
  expect(timeScale(end).ticks).toEqual(ticks)
})

it.each([0.1, 1e3, 1e6, 1e9, 1e300])('an axis of %d has a few lines', (most) => {
  for (const { ticks } of [valueScale(most, 'bytes'), valueScale(most, 'cpus'), timeScale(most)])
    expect(ticks.length).toBeLessThan(8)
})

it.each([
  [0, '0 s'],
  [12.34, '12.3 s'],
  [59.96, '1 min'],
  [312, '5 min 12 s'],
  [7_260, '2 h 1 min'],
  [86_400, '1 d'],
  [604_799, '6 d 23 h'],
])('%d seconds are %s', (seconds, words) => {
  expect(formatSpan(seconds)).toBe(words)
})
