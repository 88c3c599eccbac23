import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DaskError, type DaskErrorReason } from '../../src/dask/errors.ts'
import { WorkerReach } from '../../src/components/worker-reach.ts'

const dead = 'tcp://172.17.0.1:4100'
const alive = 'tcp://10.0.0.3:4100'

/** Rank 0, for which `failing` says why an address cannot be connected to. */
function rank0(failing: Map<string, DaskErrorReason>, { registered = true } = {}) {
  const said: string[] = []
  const logger = {
    speaks: true,
    detail: (text: string) => said.push(`detail ${text}`),
    info: (text: string) => said.push(`info ${text}`),
    warn: (text: string) => said.push(`warn ${text}`),
    error: vi.fn(),
  }
  const connect = vi.fn(async (address: string) => {
    const reason = failing.get(address)
    if (reason !== undefined) throw new DaskError('no', { reason, address })
    await Promise.resolve()
  })
  const isRegistered = async (): Promise<boolean> => await Promise.resolve(registered)
  const now = (): number => vi.getMockedSystemTime()?.getTime() ?? 0
  return { said, connect, reach: new WorkerReach({ from: 'node0', logger, connect, isRegistered, now }) }
}

const worker2 = { address: dead, name: '2', rank: 2, host: 'node2' }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('WorkerReach', () => {
  it('tries a worker that can be reached once, and says nothing', async () => {
    const { reach, connect, said } = rank0(new Map())
    await reach.add({ address: alive, name: '3', rank: 3, host: 'node3' })
    expect(await reach.count([alive])).toBe(1)
    expect(await reach.count([alive])).toBe(1)
    expect(connect).toHaveBeenCalledTimes(1)
    expect([said, reach.why(3), reach.whyNot(alive)]).toEqual([[], undefined, undefined])
  })

  it('names the address at which a worker cannot be reached, and does not count it', async () => {
    const { reach, said } = rank0(new Map([[dead, 'refused']]))
    const added = reach.add(worker2)
    await vi.advanceTimersByTimeAsync(1_000)
    await added
    const why =
      `node0 cannot connect to it at ${dead} (the connection is refused): name a network that all nodes share by ` +
      '--interface, or ports that are open between them by --worker-port'
    expect(said).toEqual([`warn worker 2 on node2 is registered at ${dead}, but ${why}`])
    expect([reach.why(2), reach.why(3), reach.whyNot(dead)]).toEqual([why, undefined, why])
    expect(await reach.count([alive, dead])).toBe(1)
  })

  it('says nothing of a worker that has ended meanwhile, or that was reached at the second try', async () => {
    const gone = rank0(new Map([[dead, 'refused']]), { registered: false })
    const failing = new Map<string, DaskErrorReason>([[dead, 'unreachable']])
    const late = rank0(failing)
    const added = [gone.reach.add(worker2), late.reach.add(worker2)]
    failing.delete(dead)
    await vi.advanceTimersByTimeAsync(1_000)
    await Promise.all(added)
    expect([...gone.said, ...late.said]).toEqual([])
    expect(await late.reach.count([dead])).toBe(1)
  })

  it('tries one again while its number is waited for, ever less often, and says when it is reached', async () => {
    const failing = new Map<string, DaskErrorReason>([[dead, 'unreachable']])
    const { reach, connect, said } = rank0(failing)
    const added = reach.add(worker2)
    await vi.advanceTimersByTimeAsync(1_000)
    await added
    for (let asked = 0; asked < 600; asked++) {
      expect(await reach.count([dead])).toBe(0)
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(connect.mock.calls.length).toBeLessThan(9)
    failing.delete(dead)
    await vi.advanceTimersByTimeAsync(30_000)
    await reach.count([dead])
    await vi.advanceTimersByTimeAsync(100)
    expect(await reach.count([dead])).toBe(1)
    expect(said.at(-1)).toBe('info worker 2 on node2 can be reached now')
  })

  it.each(['silent', 'tls', 'closed', 'call-failed'] as const)('takes a peer that is %s as reached', async (reason) => {
    const { reach } = rank0(new Map([[dead, reason]]))
    expect(await reach.count([dead])).toBe(1)
  })

  it('connects to few at a time, and counts a thousand', async () => {
    const { reach, connect } = rank0(new Map())
    let most = 0
    let open = 0
    connect.mockImplementation(async () => {
      most = Math.max(most, ++open)
      await new Promise((resolve) => setTimeout(resolve, 1))
      open--
    })
    const addresses = Array.from({ length: 1_000 }, (_, n) => `tcp://10.0.0.1:${n + 1}`)
    const counted = reach.count(addresses)
    await vi.advanceTimersByTimeAsync(200)
    expect(await counted).toBe(1_000)
    expect([most, connect.mock.calls.length]).toEqual([64, 1_000])
  })
})
