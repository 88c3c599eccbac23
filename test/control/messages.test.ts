import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { type FromHub, fromHubSchema, type ToHub, toHubSchema } from '../../src/control/messages.ts'

const failure = { status: 69, message: 'lost', rank: 2, host: 'node2', last_lines: ['one'] }

describe('the messages', () => {
  it.each<ToHub>([
    { type: 'hello', rank: 1, host: 'node1', pid: 5, instance: 'i' },
    { type: 'here' },
    { type: 'pulse', rank: 1 },
    { type: 'ended', status: 3 },
    { type: 'worker-ended', status: 1, again: true, message: 'worker 2 ended', last_lines: ['a', 'b'] },
    { type: 'failed', failure },
    { type: 'signal', signal: 'SIGTERM', again: false },
    { type: 'done' },
    { type: 'beat' },
    { type: 'await-workers', count: null },
    { type: 'stop' },
    { type: 'worker-started', name: '2', versions: { python: '3.11.2', dask: '2022.12.1', distributed: '2022.12.1' } },
  ])('to process 0 pass as they are: $type', (message) => {
    expect(z.parse(toHubSchema, JSON.parse(JSON.stringify(message)))).toEqual(message)
  })

  it.each<FromHub>([
    { type: 'welcome' },
    { type: 'refused', why: 'another run' },
    { type: 'terminate', signal: 'SIGINT' },
    { type: 'workers', running: 1, wanted: 2 },
    { type: 'beat' },
    { type: 'end', status: 0, forced: false },
    { type: 'end', status: 69, failure, forced: true },
  ])('from process 0 pass as they are: $type', (message) => {
    expect(z.parse(fromHubSchema, JSON.parse(JSON.stringify(message)))).toEqual(message)
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
    // What process 0 says is nothing that one says to it.
    { type: 'welcome' },
  ])('of another form are refused: %j', (message) => {
    expect(z.safeParse(toHubSchema, message).success).toBe(false)
  })
})
