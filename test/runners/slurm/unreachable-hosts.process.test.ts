import { describe, expect, it, vi } from 'vitest'
import { UnreachableHosts } from '../../../src/runners/slurm/unreachable-hosts.ts'
import { deferred } from '../../../src/util/deferred.ts'

/** A judge at a clock of the test's own, and hosts that answer or not. */
function judge(answers: Record<string, boolean>) {
  const clock = { now: 0 }
  const ask = vi.fn((host: string) => Promise.resolve(answers[host] ?? true))
  const hosts = new UnreachableHosts({ lostAfter: 20_000, ask, now: () => clock.now })
  const lookAt = async (seconds: number): Promise<string[]> => {
    clock.now = seconds * 1000
    return [...(await hosts.lost(['node1', 'node2']))]
  }
  return { hosts, ask, lookAt }
}

describe('UnreachableHosts', () => {
  it('takes a host for lost that has not answered for long enough', async () => {
    const { hosts, lookAt } = judge({ node1: false })
    expect(await lookAt(0)).toEqual([])
    expect(hosts.someDoubtful).toBe(true)
    expect(await lookAt(19)).toEqual([])
    expect(await lookAt(20)).toEqual(['node1'])
  })

  it('forgets the silence of a host that answers again', async () => {
    const answers = { node1: false }
    const { hosts, lookAt } = judge(answers)
    await lookAt(0)
    answers.node1 = true
    await lookAt(10)
    expect(hosts.someDoubtful).toBe(false)
    answers.node1 = false
    expect(await lookAt(25)).toEqual([])
    expect(await lookAt(45)).toEqual(['node1'])
  })

  it('asks now and then only, however often it is looked', async () => {
    const { ask, lookAt } = judge({})
    for (let tenths = 0; tenths < 20; tenths++) await lookAt(tenths / 10)
    expect(ask).toHaveBeenCalledTimes(2)
    await lookAt(2)
    expect(ask).toHaveBeenCalledTimes(4)
  })

  it('says of a host whose name means nothing here that it may be there', async () => {
    const hosts = new UnreachableHosts({ lostAfter: 0 })
    expect([...(await hosts.lost(['no-such-host.invalid']))]).toEqual([])
  })

  it('asks many hosts in turns', async () => {
    const clock = { now: 0 }
    const ask = vi.fn((host: string) => Promise.resolve(host !== 'node50'))
    const hosts = new UnreachableHosts({ lostAfter: 20_000, ask, now: () => clock.now })
    const names = Array.from({ length: 60 }, (_, i) => `node${i}`)
    for (; clock.now <= 30_000; clock.now += 1_000) await hosts.lost(names)
    expect([...(await hosts.lost(names))]).toEqual(['node50'])
    expect(ask).toHaveBeenCalledWith('node59')
  })

  it('finds hundreds of lost hosts as soon as each was asked twice', async () => {
    const clock = { now: 0 }
    const ask = async (): Promise<boolean> => Promise.resolve(false)
    const hosts = new UnreachableHosts({ lostAfter: 20_000, ask, now: () => clock.now })
    const names = Array.from({ length: 320 }, (_, i) => `node${i}`)
    // 32 are asked each 2 s.
    for (; clock.now < 40_000; clock.now += 1_000) await hosts.lost(names)
    expect((await hosts.lost(names)).size).toBe(320)
  })

  it('judges no host by one question, however many are asked in turns', async () => {
    const clock = { now: 0 }
    const seen = new Set<string>()
    const ask = async (host: string): Promise<boolean> => {
      const isFirst = !seen.has(host)
      seen.add(host)
      return Promise.resolve(host !== 'node50' || !isFirst)
    }
    const hosts = new UnreachableHosts({ lostAfter: 20_000, ask, now: () => clock.now })
    const names = Array.from({ length: 600 }, (_, i) => `node${i}`)
    for (; clock.now <= 60_000; clock.now += 1_000) expect([...(await hosts.lost(names))]).toEqual([])
    expect(seen.size).toBe(600)
  })

  it('forgets the silence of a host that is not waited for any more', async () => {
    const { hosts, lookAt } = judge({ node1: false })
    await lookAt(0)
    await hosts.lost(['node2'])
    expect(hosts.someDoubtful).toBe(false)
  })

  it('asks a host at once where it is told to', async () => {
    const { hosts } = judge({ node1: false })
    expect(await hosts.answers('node1')).toBe(false)
    expect(await hosts.answers('node2')).toBe(true)
    expect(hosts.someDoubtful).toBe(false)
  })

  it('keeps the process alive until a host has answered: at the end of a run nothing else may', async () => {
    const answer = deferred<boolean>()
    const hosts = new UnreachableHosts({ lostAfter: 20_000, ask: async () => answer.promise })
    const timers = (): number => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length
    const before = timers()
    const answers = hosts.answers('node1')
    expect(timers()).toBe(before + 1)
    answer.resolve(true)
    expect(await answers).toBe(true)
    expect(timers()).toBe(before)
  })
})
