import { expect, it } from 'vitest'
import * as z from 'zod/mini'
import { toCoordinatorSchema } from '../../src/control/messages.ts'

it.each([
  {},
  null,
  'beat',
  { type: 'unknown' },
  { type: 'hello', rank: 1 },
  { type: 'ended', status: '3' },
  { type: 'signal', signal: 'SIGKILL', again: false },
  { type: 'failed', failure: { message: 'half of one' } },
  // What rank 0 says is nothing that one says to it.
  { type: 'welcome' },
])('messages of another form are refused: %j', (message) => {
  expect(z.safeParse(toCoordinatorSchema, message).success).toBe(false)
})
