import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ask } from '../../src/client/ask.ts'
import type { HelperConnection } from '../../src/client/connection.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

test('a time limit that is given as undefined is the default one, as any option is', async () => {
  const connection = { request: () => new Promise(() => undefined) } as unknown as HelperConnection
  const question = { order: { order: 'info' }, what: 'ask', timeout: '30s' } as const
  const answer = ask(connection, question, { timeout: undefined }).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(30_000)
  expect(await Promise.race([answer, Promise.resolve('still waiting')])).toMatchObject({
    message: 'Cannot ask after 30 s',
  })
})
