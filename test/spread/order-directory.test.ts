import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { OrderDirectory } from '../../src/spread/order-directory.ts'
import type { SpreadOrders } from '../../src/spread/orders.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const keeper = { expectDirectory: () => undefined, addDirectory: () => undefined }
const never = async (): Promise<never> => new Promise(() => undefined)
const orders = [{ word: 'w' } as SpreadOrders]

/** A directory with these names in it. */
function directory(changes: Partial<ConstructorParameters<typeof OrderDirectory>[1]> = {}) {
  const names: string[] = []
  const list = vi.fn(async () => Promise.resolve([...names]))
  const done = async (): Promise<undefined> => Promise.resolve(undefined)
  const leaveName = async (name: string): Promise<void> => {
    names.push(name)
    await Promise.resolve()
  }
  const shared = new OrderDirectory('/d', {
    ...{ make: async () => Promise.resolve(true), put: done, leaveName, list },
    ...changes,
  })
  return { shared, names, list }
}

test('one listing tells of all ranks, four times a second', async () => {
  const { shared, names, list } = directory()
  const { signal } = new AbortController()
  const all = Promise.all(Array.from({ length: 100 }, async (_, rank) => shared.ready(rank, signal)))
  await vi.advanceTimersByTimeAsync(9_990)
  expect(list.mock.calls.length).toBe(40)
  names.push(...Array.from({ length: 100 }, (_, rank) => `ready-${rank}`))
  await vi.advanceTimersByTimeAsync(500)
  await all
  expect(list.mock.calls.length).toBe(41)
})

test('the last word of a rank may show 2 s late; later it has left none', async () => {
  const { shared, names } = directory()
  const [late, lost] = [shared.statusOf(1), shared.statusOf(2)]
  await vi.advanceTimersByTimeAsync(2_000)
  names.push('ended-1-7')
  await vi.advanceTimersByTimeAsync(2_000)
  expect(await late).toBe(7)
  expect(await lost).toBeUndefined()
})

test('a filesystem that does not answer is listed once, and a status waited for 25 s', async () => {
  const list = vi.fn(never)
  const { shared } = directory({ list })
  const seen = vi.fn()
  void shared.statusOf(1).then(seen)
  await vi.advanceTimersByTimeAsync(24_000)
  expect(seen).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(seen).toHaveBeenCalledWith(undefined)
  expect(list).toHaveBeenCalledOnce()
})

test('orders that cannot be left end the start in its time, or at a signal', async () => {
  const interrupted = new AbortController()
  const leaving = { ms: 2_000, signal: interrupted.signal }
  const leave = async (changes: Parameters<typeof directory>[0]) =>
    directory(changes).shared.leave(orders, keeper, leaving)
  const late = expect(leave({ make: never })).rejects.toMatchObject({
    code: 'ERR_TIMED_OUT',
    message: expect.stringContaining('in "/d": its filesystem has not answered for 2 s') as string,
  })
  await vi.advanceTimersByTimeAsync(2_000)
  await late
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  await expect(leave({ put: async () => Promise.reject(full) })).rejects.toMatchObject({
    code: 'ERR_ENVIRONMENT',
    message: expect.stringContaining('no space left') as string,
  })
  const held = expect(leave({ put: never })).rejects.toBe('TERM')
  interrupted.abort('TERM')
  await held
})
