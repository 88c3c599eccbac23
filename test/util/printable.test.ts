import { expect, test } from 'vitest'
import { printable, printableLines, printableOutput } from '../../src/util/printable.ts'

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

test('leaves a program its colours and tabs, and nothing else that moves a cursor', () => {
  const line = '\u001b[1;31mred\u001b[0m\tand\u001b[2J\u001b]0;title\u0007 \u009b31m\r\u001b['
  expect(printableOutput([line, 'plain'])).toEqual([
    '\u001b[1;31mred\u001b[0m\tand\\u001b[2J\\u001b]0;title\\u0007 \\u009b31m\\u000d\\u001b[',
    'plain',
  ])
})
