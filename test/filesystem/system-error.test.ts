import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { errnoOf } from '../../src/errors.ts'
import { formatSystemError } from '../../src/filesystem/system-error.ts'

/** An error as Node makes it of what libuv has no name for. */
function nameless(errno: number): Error {
  const code = `Unknown system error ${errno}`
  return Object.assign(new Error(`${code}: ${code}, write`), { errno, code, syscall: 'write' })
}

test.each([
  [constants.errno.EDQUOT, 'the disk quota is used up (EDQUOT)'],
  [constants.errno.ESTALE, 'its server has removed it or has lost its handle (ESTALE)'],
])('error %i of a network filesystem, which libuv does not name, has words', (errno, words) => {
  expect(formatSystemError(nameless(-errno))).toBe(words)
})

test('another nameless error is told as it is', () => {
  expect(errnoOf(nameless(-4711))).toBeUndefined()
  expect(formatSystemError(nameless(-4711))).toContain('-4711')
})
