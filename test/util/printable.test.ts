import { expect, test } from 'vitest'
import { printable, printableLines } from '../../src/util/printable.ts'

test.for([
  ['\u001b[2Jx', '\\u001b[2Jx'],
  ['a\nb\r\tc\0', 'a\\u000ab\\u000d\\u0009c\\u0000'],
  ['\u007f\u009b31m', '\\u007f\\u009b31m'],
  ['\u2028\u2029\u202e\u2066', '\\u2028\\u2029\\u202e\\u2066'],
  ['node-0 "ü" 図 👩‍🔬', 'node-0 "ü" 図 👩‍🔬'],
] as const)('writes %j as it can be printed', ([text, printed]) => {
  expect(printable(text)).toBe(printed)
})

test('leaves lines and tabs of a text', () => {
  expect(printableLines('a\u001b\n\tb')).toBe('a\\u001b\n\tb')
})
