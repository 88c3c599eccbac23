import { describe, expect, it, vi } from 'vitest'
import type { SchedulerAnswer } from '../../src/dask/verify-scheduler.ts'
import { RunnerError } from '../../src/errors.ts'
import type { RunContext } from '../../src/identity/run-context.ts'
import { checkReach, type ReachSeams } from '../../src/run/check-reach.ts'

const file = { type: 'Scheduler', id: 'Scheduler-1', address: 'tcp://10.0.0.1:8786' } as const
const over = new AbortController()

/** A run whose scheduler answers as the list says, and its clock, in which each try takes a second. */
function runOf(answers: readonly (SchedulerAnswer | Error)[], rendezvousTimeout = 300_000) {
  let time = 0
  const timeouts: (number | undefined)[] = []
  const ask: ReachSeams['ask'] = async (_, { timeout }) => {
    timeouts.push(timeout)
    time += 1_000
    const answer = answers[timeouts.length - 1] ?? answers.at(-1) ?? 'answers'
    if (answer instanceof Error) throw answer
    return await Promise.resolve(answer)
  }
  const sleep = async (ms: number): Promise<void> => {
    time += ms
    await Promise.resolve()
  }
  const logger = { speaks: true, detail: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }
  const run = { identity: { host: 'node1' }, options: { rendezvousTimeout, env: {} }, signal: over.signal, logger }
  const check = checkReach(file, run as unknown as RunContext, { ask, sleep, now: () => time })
  return { check, logger, timeouts, clock: () => time }
}

describe('checkReach', () => {
  it('takes a scheduler that answers, or is busy', async () => {
    await runOf(['answers']).check
    await runOf(['silent']).check
  })

  it('tries again on a network that is slow, for longer each time, and says so once', async () => {
    const { check, logger, timeouts } = runOf(['unreachable', 'unreachable', 'unreachable', 'unreachable', 'answers'])
    await check
    expect(timeouts).toEqual([3_000, 6_000, 10_000, 10_000, 10_000])
    expect(logger.warn).toHaveBeenCalledOnce()
  })

  it.each([
    [300_000, 30_000],
    [5_000, 5_000],
  ])('gives up one that is never reached, within a rendezvous timeout of %i ms after %i ms', async (timeout, after) => {
    const { check, clock } = runOf(['unreachable'], timeout)
    await expect(check).rejects.toThrow(
      'Cannot use the scheduler at tcp://10.0.0.1:8786 from node1: it cannot be reached; name another --interface',
    )
    expect(clock()).toBeGreaterThanOrEqual(after)
    expect(clock()).toBeLessThan(after * 1.5 + 2_000)
  })

  it('gives up at once where another program answers', async () => {
    const { check, timeouts } = runOf(['unreachable', 'other'])
    await expect(check).rejects.toThrow('another program answers there')
    expect(timeouts).toHaveLength(2)
  })

  it('gives up with the cause where its own files for TLS cannot be used', async () => {
    const cause = new RunnerError('Cannot use TLS: "key.pem" is empty', { code: 'ERR_ENVIRONMENT' })
    await expect(runOf([cause]).check).rejects.toBe(cause)
  })

  it('gives rank 0 two seconds to tell why a scheduler that has listened does so no more', async () => {
    const { check, clock, logger } = runOf(['refuses'])
    await expect(check).rejects.toThrow('nothing listens there')
    expect(clock()).toBeGreaterThan(2_000)
    expect(clock()).toBeLessThan(5_000)
    expect(logger.warn).not.toHaveBeenCalled()
  })
})
