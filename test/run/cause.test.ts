import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { RunContext } from '../../src/identity/run-context.ts'
import { createLogger } from '../../src/logger.ts'
import { CauseTeller } from '../../src/run/cause.ts'
import { lossOf } from '../../src/run/failure.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const failure = lossOf({ rank: 0, roles: ['scheduler'], host: 'node0' }, 'its connection closed')

it('a deputy tells the loss of rank 0 at once, and marks half a second later that it has, when it has surely not just woken', async () => {
  const said: string[] = []
  const claimLoss = vi.fn(async () => await Promise.resolve(true))
  const run = { identity: { rank: 1 }, logger: createLogger({ write: (line) => void said.push(line) }) }
  const member = { isTold: false, deputy: 1, loss: 'closed' } as const
  const cause = new CauseTeller(run as unknown as RunContext, member, { claimLoss })
  cause.tell({ failure })
  expect(said.join()).toContain('Lost rank 0 (scheduler) on node0: its connection closed')
  await vi.advanceTimersByTimeAsync(499)
  expect(claimLoss).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(claimLoss).toHaveBeenCalledOnce()
})
