import { describe, expect, it, vi } from 'vitest'
import { RunnerError } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import type { ClusterRecord } from '../../src/record/cluster-record.ts'
import type { Found } from '../../src/record/found.ts'
import { meet } from '../../src/runner/meet.ts'
import { untilAborted } from '../../src/util/wait.ts'

const logger = createLogger({ write: () => undefined })
const signal = new AbortController().signal
const noAnswer = new RunnerError('Cannot join process 0: it does not answer', { code: 'ERR_UNAVAILABLE' })

function gatherer(nonce: string): Found {
  const record = { nonce, host: 'node0' } as ClusterRecord
  return { kind: 'gatherer', record }
}

/** Gives what is published, record after record, and waits where there is no further one. */
function lookUpOf(...published: readonly Found[]) {
  return vi.fn(async (dead: ReadonlySet<string>, until: AbortSignal): Promise<Found> => {
    const next = published.find((found) => found.kind !== 'gatherer' || !dead.has(found.record.nonce))
    return next ?? (await untilAborted(new Promise<Found>(() => undefined), until))
  })
}

describe('meet', () => {
  it('joins the process 0 that is found', async () => {
    const join = vi.fn(() => Promise.resolve())
    const { found } = await meet({ lookUp: lookUpOf(gatherer('a')), join, logger, signal })
    expect(found).toEqual(gatherer('a'))
    expect(join).toHaveBeenCalledOnce()
  })

  it('asks one that does not answer again, since the network may be gone for a moment', async () => {
    let attempts = 0
    const join = (): Promise<void> => (++attempts < 3 ? Promise.reject(noAnswer) : Promise.resolve())
    const { found } = await meet({ lookUp: lookUpOf(gatherer('a')), join, logger, signal, joinInterval: 1 })
    expect([found, attempts]).toEqual([gatherer('a'), 3])
  })

  it('takes a newer record, where the old one stays dead', async () => {
    const joined: string[] = []
    const join = ({ nonce }: ClusterRecord): Promise<void> => {
      if (nonce === 'old') return Promise.reject(noAnswer)
      joined.push(nonce)
      return Promise.resolve()
    }
    const lookUp = lookUpOf(gatherer('old'), gatherer('new'))
    const { found } = await meet({ lookUp, join, logger, signal, joinInterval: 1 })
    expect([found, joined]).toEqual([gatherer('new'), ['new']])
  })

  it('says why the record did not answer, where no newer one comes in time', async () => {
    const late = new RunnerError('Cannot find the cluster', { code: 'ERR_TIMED_OUT' })
    let looks = 0
    const lookUp = (): Promise<Found> => (looks++ === 0 ? Promise.resolve(gatherer('a')) : Promise.reject(late))
    const join = (): Promise<void> => Promise.reject(noAnswer)
    await expect(meet({ lookUp, join, logger, signal, joinInterval: 1 })).rejects.toBe(noAnswer)
  })

  it('gives an outcome as it is, whether or not its process 0 is still there', async () => {
    const outcome: Found = { kind: 'outcome', outcome: { version: 1, run_key: 'k' } }
    const join = vi.fn(() => Promise.resolve())
    expect(await meet({ lookUp: lookUpOf(outcome), join, logger, signal })).toEqual({ found: outcome })
    expect(join).not.toHaveBeenCalled()
  })

  it('gives with an outcome why its process 0 was not joined before', async () => {
    const outcome: Found = { kind: 'outcome', outcome: { version: 1, run_key: 'k' } }
    const join = (): Promise<void> => Promise.reject(noAnswer)
    const met = await meet({ lookUp: lookUpOf(gatherer('a'), outcome), join, logger, signal, joinInterval: 1 })
    expect(met).toEqual({ found: outcome, unanswered: noAnswer })
  })

  it('ends with the reason of the signal, and asks nobody any more', async () => {
    const over = new AbortController()
    const join = vi.fn(() => {
      if (join.mock.calls.length === 3) over.abort(new Error('TERM'))
      return Promise.reject(noAnswer)
    })
    const met = meet({ lookUp: lookUpOf(gatherer('a')), join, logger, signal: over.signal, joinInterval: 1 })
    await expect(met).rejects.toThrow('TERM')
    expect(join).toHaveBeenCalledTimes(3)
  })
})
