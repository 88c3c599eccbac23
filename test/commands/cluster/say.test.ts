import { expect, it } from 'vitest'
import { sayBytes } from '../../../src/commands/cluster/say.ts'

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [65_000_000, '62 MiB'],
  [4_187_593_114, '3.9 GiB'],
  [25_276_510_208, '24 GiB'],
  [2 ** 62, '4096 PiB'],
])('%i bytes are %s', (bytes, words) => {
  expect(sayBytes(bytes)).toBe(words)
})
