import { describe, expect, it } from 'vitest'
import { milliseconds, formatDuration } from '../../src/util/duration.ts'

describe('milliseconds', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    [' 1s ', 1000],
    ['0s', 0],
    [0, 0],
    [12.5, 12.5],
  ])('reads %j as %d', (duration, expected) => {
    expect(milliseconds(duration)).toBe(expected)
  })

  it.each(['', '30', 's', '5 m', '-1s', '1d', '1e3s', '1s2', '٣s', Infinity, NaN, -1])(
    'refuses %j and names it',
    (duration) => {
      const read = () => milliseconds(duration, 'grace')
      expect(read).toThrow(RangeError)
      expect(read).toThrow(`grace "${duration}"`)
    },
  )
})

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [350.4, '350 ms'],
    [1000, '1 s'],
    [1550, '1.6 s'],
    [119_000, '119 s'],
    [300_000, '5 min'],
    [5_400_000, '90 min'],
  ])('says %d as %j', (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected)
  })
})
