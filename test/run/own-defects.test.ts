import { expect, it } from 'vitest'
import { isFrom } from '../../src/run/own-defects.ts'

const file = '/opt/with.dots/dist/index.js'
const error = (...frames: readonly string[]): Error =>
  Object.assign(new Error('why'), { stack: ['Error: why', ...frames.map((frame) => `    at ${frame}`)].join('\n') })

it.each<[boolean, string, unknown]>([
  [
    true,
    'a callback that Node calls',
    error(`f (file://${file}:1:2)`, `${file}:7:8`, 'listOnTimeout (node:internal/timers:1:2)'),
  ],
  [false, "the program's code in ours", error('theirs (/home/me/p.mjs:1:2)', `f (file://${file}:1:2)`)],
  [false, "ours in the program's", error(`f (file://${file}:1:2)`, 'Object.<anonymous> (/home/me/p.cjs:1:2)')],
  [false, 'another file of that ending', error(`f (/home/me${file}:1:2)`)],
  [false, 'Node alone', error('read (node:internal/stream:1:2)')],
  [false, 'an error without a stack', error()],
  [false, 'a stack that may have been cut', error(...Array.from({ length: 10 }, () => `f (${file}:1:2)`))],
  [
    true,
    'a stack that was cut before Node',
    error(...Array.from({ length: 9 }, () => `f (${file}:1:2)`), 'emit (node:events:1:2)'),
  ],
  [false, 'no error', `at f (${file}:1:2)`],
])('isFrom is %s for %s', (is, _, thrown) => {
  expect(isFrom(file, thrown)).toBe(is)
})
