import { expect, test } from 'vitest'
import { formatRunKey, isEarlierStart } from '../../src/identity/run-key.ts'

const key = { cluster: 'sim', jobId: '7', stepId: '0', restart: 1_000_000_000 }

test.each([
  ['an earlier start of the job', { ...key, restart: 999_999_999 }, true],
  ['its first start', { ...key, restart: 0 }, true],
  ['the run itself', key, false],
  ['a later start', { ...key, restart: 1_000_000_001 }, false],
  ['another step', { ...key, stepId: '1', restart: 0 }, false],
])('%s is over: %s', (_, other, isOver) => {
  expect(isEarlierStart(formatRunKey(other), key)).toBe(isOver)
})
