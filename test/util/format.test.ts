import { expect, it } from 'vitest'
import { formatBytes, formatCount } from '../../src/util/format.ts'

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [65_000_000, '62 MiB'],
  [4_187_593_114, '3.9 GiB'],
  [2 ** 62, '4096 PiB'],
])('formatBytes: %i bytes are %s', (bytes, words) => {
  expect(formatBytes(bytes)).toBe(words)
})

it('formatCount has the noun in the plural for all but one', () => {
  expect([0, 1, 2, 0.5].map((n) => formatCount(n, 'CPU'))).toEqual(['0 CPUs', '1 CPU', '2 CPUs', '0.5 CPUs'])
})
