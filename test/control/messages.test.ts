import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import {
  type FromCoordinator,
  fromCoordinatorSchema,
  type ToCoordinator,
  toCoordinatorSchema,
} from '../../src/control/messages.ts'

const failure = { status: 69, message: 'lost', rank: 2, host: 'node2', last_lines: ['one'] }

describe('the messages', () => {
  it.each<ToCoordinator>([
    { type: 'hello', rank: 1, host: 'node1', pid: 5, instance: 'i' },
    { type: 'here' },
    { type: 'heartbeat-channel', rank: 1 },
    { type: 'ended', status: 3 },
    { type: 'worker-ended', status: 1, again: true, message: 'worker 2 ended', last_lines: ['a', 'b'] },
    { type: 'failed', failure },
    { type: 'signal', signal: 'SIGTERM', again: false },
    { type: 'done' },
    { type: 'heartbeat' },
    { type: 'await-workers', count: null },
    { type: 'stop' },
    { type: 'worker-started', name: '2', versions: { python: '3.11.2', dask: '2022.12.1', distributed: '2022.12.1' } },
  ])('to rank 0 pass as they are: $type', (message) => {
    expect(z.parse(toCoordinatorSchema, JSON.parse(JSON.stringify(message)))).toEqual(message)
  })

  it.each<FromCoordinator>([
    { type: 'welcome' },
    { type: 'refused', why: 'another run' },
    { type: 'terminate', signal: 'SIGINT' },
    { type: 'workers', running: 1, wanted: 2 },
    { type: 'heartbeat' },
    { type: 'end', status: 0, forced: false },
    { type: 'end', status: 69, failure, forced: true },
  ])('from rank 0 pass as they are: $type', (message) => {
    expect(z.parse(fromCoordinatorSchema, JSON.parse(JSON.stringify(message)))).toEqual(message)
  })

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
  ])('of another form are refused: %j', (message) => {
    expect(z.safeParse(toCoordinatorSchema, message).success).toBe(false)
  })
})
