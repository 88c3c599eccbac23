import { describe, expect, it } from 'vitest'
import {
  difference,
  judgeOffset,
  narrow,
  offsetOfExchange,
  offsetOfQuestion,
  sayOffset,
} from '../../../src/commands/doctor/clock.ts'

/** Moments of one true time, as two clocks of whole milliseconds show them. */
function clocks(ahead: number, startsAt = 0.7) {
  return {
    ours: (moment: number) => Math.floor(startsAt + moment + ahead),
    theirs: (moment: number) => Math.floor(startsAt + moment),
  }
}

describe('offsetOfQuestion', () => {
  it.each([0, 5000, -5000, 0.4, -1.6, 123.9])('holds the true offset of %d ms, whatever the way takes', (ahead) => {
    for (const startsAt of [0, 0.3, 0.99])
      for (const [there, back] of [
        [0, 0],
        [0.2, 40],
        [40, 0.2],
        [3.3, 3.9],
      ] as const) {
        const { ours, theirs } = clocks(ahead, startsAt)
        const { least, most } = offsetOfQuestion({ before: ours(0), other: theirs(there), after: ours(there + back) })
        expect(least).toBeLessThanOrEqual(ahead)
        expect(most).toBeGreaterThanOrEqual(ahead)
        expect(most - least).toBeLessThanOrEqual(there + back + 3)
      }
  })
})

describe('offsetOfExchange', () => {
  it.each([0, 5000, -70.5])('holds the true offset of %d ms, however late the files are seen', (ahead) => {
    const { ours, theirs } = clocks(ahead)
    const exchange = { startWritten: theirs(0), startRead: ours(400), written: ours(900), read: theirs(1000) }
    const { least, most } = offsetOfExchange(exchange)
    expect(least).toBeLessThanOrEqual(ahead)
    expect(most).toBeGreaterThanOrEqual(ahead)
    expect(most - least).toBeLessThanOrEqual(500 + 4)
  })
})

describe('judgeOffset', () => {
  it('judges by what is certain', () => {
    expect(judgeOffset({ least: -2, most: 3 })).toBe('ok')
    expect(judgeOffset({ least: -800, most: 900 })).toBe('ok')
    expect(judgeOffset({ least: -800, most: 1900 })).toBe('note')
    expect(judgeOffset({ least: 150, most: 160 })).toBe('note')
    expect(judgeOffset({ least: 4900, most: 5100 })).toBe('warning')
    expect(judgeOffset({ least: -5100, most: -4900 })).toBe('warning')
  })

  it('is said with its bounds', () => {
    expect(sayOffset({ least: -2, most: 3 })).toBe('within 3 ms')
    expect(sayOffset({ least: 4900, most: 5100 })).toBe('4.9 s to 5.1 s ahead')
    expect(sayOffset({ least: -5001, most: -4999 })).toBe('5 s behind')
    expect(difference(narrow({ least: -500, most: 600 }, { least: 10, most: 12 }))).toEqual({ atLeast: 10, atMost: 12 })
  })
})
