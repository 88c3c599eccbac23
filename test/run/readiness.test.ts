import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LocalChannel } from '../../src/control/channel.ts'
import type { FromCoordinator, ToCoordinator } from '../../src/control/messages.ts'
import { Readiness } from '../../src/run/readiness.ts'

/** Somebody who waits, and what it hears. */
function waiter() {
  const [mine, theirs] = LocalChannel.pair<FromCoordinator, ToCoordinator>()
  const heard: FromCoordinator[] = []
  mine.onMessage((message) => heard.push(message))
  return { line: theirs, heard, leave: mine }
}

describe('Readiness', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] }))
  afterEach(() => void vi.useRealTimers())

  it('asks ten times a second at most, however many wait', async () => {
    const ask = vi.fn(() => Promise.resolve(0))
    const readiness = new Readiness(ask)
    for (let i = 0; i < 64; i++) void readiness.add(waiter().line, 100)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(ask.mock.calls.length).toBeGreaterThan(2)
    expect(ask.mock.calls.length).toBeLessThanOrEqual(11)
  })

  it('knows that all workers run within 200 ms, and tells everybody', async () => {
    let running = 99
    const readiness = new Readiness(() => Promise.resolve(running))
    const waiters = Array.from({ length: 64 }, waiter)
    const come = Promise.all(waiters.map(async ({ line }) => readiness.add(line, 100)))
    await vi.advanceTimersByTimeAsync(250)
    running = 100
    await vi.advanceTimersByTimeAsync(200)
    await come
    for (const { heard } of waiters)
      expect(heard).toEqual([
        { type: 'workers', running: 99, wanted: 100 },
        { type: 'workers', running: 100, wanted: 100 },
      ])
  })

  it('asks no more when nobody waits any more', async () => {
    const ask = vi.fn(() => Promise.resolve(0))
    const readiness = new Readiness(ask)
    const { line, leave } = waiter()
    const over = readiness.add(line, 1)
    await vi.advanceTimersByTimeAsync(250)
    leave.end()
    await over
    const before = ask.mock.calls.length
    await vi.advanceTimersByTimeAsync(500)
    expect(ask.mock.calls.length).toBeLessThanOrEqual(before + 1)
  })

  it('goes on asking where the scheduler could not be asked', async () => {
    const ask = vi.fn<() => Promise<number>>().mockRejectedValueOnce(new Error('closed')).mockResolvedValue(1)
    const { line, heard } = waiter()
    const over = new Readiness(ask).add(line, 1)
    await vi.advanceTimersByTimeAsync(200)
    await over
    expect(heard).toEqual([{ type: 'workers', running: 1, wanted: 1 }])
  })
})
