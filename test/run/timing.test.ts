import { describe, expect, it } from 'vitest'
import { divideGrace, patience } from '../../src/run/timing.ts'

describe('divideGrace', () => {
  it.each([100, 1000, 20_000, 600_000])(
    'ends everything within %d ms, most of them the client program has',
    (grace) => {
      const { client, workers, peers, scheduler } = divideGrace(grace)
      expect(client).toBeGreaterThanOrEqual(grace * 0.75)
      // Rank 0 waits for the others, whose workers take less, and then ends its scheduler.
      expect(workers).toBeLessThan(peers)
      expect(client + peers + scheduler).toBeLessThanOrEqual(grace)
      for (const part of [workers, peers, scheduler]) expect(part).toBeGreaterThan(0)
    },
  )

  it('keeps no more than 5 s from the client program, however long the grace', () => {
    expect(divideGrace(600_000).client).toBe(595_000)
  })
})

describe('patience', () => {
  const timing = divideGrace(20_000)
  const run = { someMissing: false, failed: false, interrupted: false }

  it('is that of the grace where everybody has come, or where a signal ended the run', () => {
    expect(patience(timing, run)).toBe(timing.peers)
    expect(patience(timing, { someMissing: true, failed: true, interrupted: true })).toBe(timing.peers)
  })

  it('is longer for processes that have not been seen, less so after a failure', () => {
    const late = patience(timing, { ...run, someMissing: true })
    const lateAfterFailure = patience(timing, { ...run, someMissing: true, failed: true })
    expect(late).toBe(15_000)
    expect(lateAfterFailure).toBe(5_000)
  })

  it('is never shorter than the grace allows', () => {
    const long = { ...timing, peers: 60_000 }
    expect(patience(long, { ...run, someMissing: true, failed: true })).toBe(60_000)
  })
})
