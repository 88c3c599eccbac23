import { describe, expect, it, vi } from 'vitest'
import { RefusedError } from '../../src/control/join.ts'
import { NotReachedError } from '../../src/control/open-channel.ts'
import { messageOf, RunnerError } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import type { ClusterRecord } from '../../src/record/cluster-record.ts'
import type { Found } from '../../src/rendezvous/found.ts'
import { joinRun } from '../../src/run/join-run.ts'
import { untilAborted } from '../../src/util/wait.ts'

const logger = createLogger({ write: () => undefined })
const signal = new AbortController().signal
const limit = (): number => 60_000
const noAnswer = new RunnerError('Cannot join rank 0: it does not answer', { code: 'ERR_UNAVAILABLE' })

function coordinator(nonce: string): Found {
  const record = { nonce, host: 'node0' } as ClusterRecord
  return { kind: 'coordinator', record }
}

/** Gives what is published, record after record, and waits where there is no further one. */
function lookUpOf(...published: readonly Found[]) {
  return vi.fn(async (dead: ReadonlySet<string>, until: AbortSignal): Promise<Found> => {
    const next = published.find((found) => found.kind !== 'coordinator' || !dead.has(found.record.nonce))
    return next ?? (await untilAborted(new Promise<Found>(() => undefined), until))
  })
}

describe('meet', () => {
  it('joins the rank 0 that is found', async () => {
    const join = vi.fn(() => Promise.resolve())
    const { found } = await joinRun({ lookUp: lookUpOf(coordinator('a')), join, logger, limit, signal })
    expect(found).toEqual(coordinator('a'))
    expect(join).toHaveBeenCalledOnce()
  })

  it('asks one that does not answer again, since the network may be gone for a moment', async () => {
    let attempts = 0
    const join = (): Promise<void> => (++attempts < 3 ? Promise.reject(noAnswer) : Promise.resolve())
    const { found } = await joinRun({ lookUp: lookUpOf(coordinator('a')), join, logger, limit, signal, firstPause: 1 })
    expect([found, attempts]).toEqual([coordinator('a'), 3])
  })

  it('takes a newer record, where the old one stays dead', async () => {
    const joined: string[] = []
    const join = ({ nonce }: ClusterRecord): Promise<void> => {
      if (nonce === 'old') return Promise.reject(noAnswer)
      joined.push(nonce)
      return Promise.resolve()
    }
    const lookUp = lookUpOf(coordinator('old'), coordinator('new'))
    const { found } = await joinRun({ lookUp, join, logger, limit, signal, firstPause: 1 })
    expect([found, joined]).toEqual([coordinator('new'), ['new']])
  })

  it('says why the record did not answer, where no newer one comes in time', async () => {
    const late = new RunnerError('Cannot find the cluster', { code: 'ERR_TIMED_OUT' })
    let looks = 0
    const lookUp = (): Promise<Found> => (looks++ === 0 ? Promise.resolve(coordinator('a')) : Promise.reject(late))
    const join = (): Promise<void> => Promise.reject(noAnswer)
    await expect(joinRun({ lookUp, join, logger, limit, signal, firstPause: 1 })).rejects.toBe(noAnswer)
  })

  it('gives an outcome as it is, whether or not its rank 0 is still there', async () => {
    const outcome: Found = { kind: 'outcome', outcome: { version: 1, run_key: 'k' } }
    const join = vi.fn(() => Promise.resolve())
    expect(await joinRun({ lookUp: lookUpOf(outcome), join, logger, limit, signal })).toEqual({ found: outcome })
    expect(join).not.toHaveBeenCalled()
  })

  it('gives with an outcome why its rank 0 was not joined before', async () => {
    const outcome: Found = { kind: 'outcome', outcome: { version: 1, run_key: 'k' } }
    const join = (): Promise<void> => Promise.reject(noAnswer)
    const met = await joinRun({
      lookUp: lookUpOf(coordinator('a'), outcome),
      join,
      logger,
      limit,
      signal,
      firstPause: 1,
    })
    expect(met).toEqual({ found: outcome, whyNotJoined: noAnswer })
  })

  it('ends with the reason of the signal, and asks nobody any more', async () => {
    const over = new AbortController()
    const join = vi.fn(() => {
      if (join.mock.calls.length === 3) over.abort(new Error('TERM'))
      return Promise.reject(noAnswer)
    })
    const met = joinRun({ lookUp: lookUpOf(coordinator('a')), join, logger, limit, signal: over.signal, firstPause: 1 })
    await expect(met).rejects.toThrow('TERM')
    expect(join).toHaveBeenCalledTimes(3)
  })

  it('gives up one that cannot be joined after as long as is right for the reason, and tells the last one', async () => {
    let time = 0
    const reasons = ['unreachable', 'unreachable', 'refused', 'refused', 'refused']
    const join = vi.fn(() => {
      time += 5_000
      return Promise.reject(new NotReachedError(reasons[join.mock.calls.length - 1] ?? '', 'refused'))
    })
    const met = joinRun({
      ...{ lookUp: lookUpOf(coordinator('a')), join, logger, signal, firstPause: 1, now: () => time },
      limit: (why) => (messageOf(why) === 'refused' ? 18_000 : 1_000_000),
    })
    await expect(met).rejects.toThrow('refused')
    expect(join).toHaveBeenCalledTimes(4)
  })

  it('gives a slow network longer each time, up to a bound', async () => {
    const given: number[] = []
    const join = (_: ClusterRecord, patience: number): Promise<void> =>
      given.push(patience) < 4 ? Promise.reject(noAnswer) : Promise.resolve()
    await joinRun({ lookUp: lookUpOf(coordinator('a')), join, logger, limit, signal, firstPause: 1 })
    expect(given).toEqual([3_000, 6_000, 10_000, 10_000])
  })

  it.each([1, 2])('ends at once where rank 0 refuses this process, at attempt %i', async (attempt) => {
    const refused = new RefusedError('there is another one', { code: 'ERR_UNAVAILABLE' })
    const join = vi.fn(() => Promise.reject(join.mock.calls.length === attempt ? refused : noAnswer))
    const met = joinRun({ lookUp: lookUpOf(coordinator('a')), join, logger, limit, signal, firstPause: 1 })
    await expect(met).rejects.toBe(refused)
    expect(join).toHaveBeenCalledTimes(attempt)
  })
})
