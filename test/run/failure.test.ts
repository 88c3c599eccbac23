import { expect, test } from 'vitest'
import { logFailure } from '../../src/run/cause.ts'
import { lossOf, whereOf } from '../../src/run/failure.ts'

const failure = { status: 1, rank: 1, host: 'vm', last_lines: [] }

test.each([
  ['Lost rank 1 (client) on vm: it ended without a word', undefined, ''],
  ['Rank 1 (client) on vm did not end', undefined, ''],
  ['Worker 1 on vm was killed by SIGKILL', 'worker 1', ''],
  ['no room', undefined, ' (rank 1 on vm)'],
  ['Cannot listen on vm', undefined, ' (rank 1 on vm)'],
  ['Lost rank 10 (worker) on vm', undefined, ' (rank 1 on vm)'],
  ['Lost rank 1 (worker) on vm2', undefined, ' (rank 1 on vm)'],
  ['Worker 1 on vm2 was killed', 'worker 1', ' (rank 1 on vm)'],
])('says where it failed unless the message does: %s', (message, role, where) => {
  expect(whereOf({ ...failure, message, role })).toBe(where)
})

test('a lost rank is told with its host once', () => {
  const told: string[] = []
  const logger = { error: (text: string) => told.push(text) } as unknown as Parameters<typeof logFailure>[2]['logger']
  logFailure(lossOf({ rank: 1, roles: ['client'], host: 'vm' }, 'it ended without a word'), 0, {
    logger,
    log: undefined,
  })
  expect(told).toEqual(['Lost rank 1 (client) on vm: it ended without a word'])
})
