import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FollowedWords } from '../../src/spread/follow-words.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const failure = (code: string): Error => Object.assign(new Error(code), { code })

/** Rank 3, which looks into a directory as `list` has it. */
function follow(list: () => Promise<readonly string[]>, leastInterval = 0) {
  const [onWord, onEnd, listed] = [vi.fn(), vi.fn(), vi.fn(list)]
  const words = new FollowedWords({ rank: 3, list: listed, leastInterval })
  words.listen(onWord, onEnd)
  return { words, onWord, onEnd, listed }
}

test('a rank hears its words once each, in their order', async () => {
  const { onWord, onEnd } = follow(async () =>
    Promise.resolve(['10-3-SIGUSR1', '2-3-begin', '3-4-SIGTERM', 'ready-3', 'orders-3']),
  )
  await vi.advanceTimersByTimeAsync(5_000)
  expect(onWord.mock.calls).toEqual([['begin'], ['SIGUSR1']])
  expect(onEnd).not.toHaveBeenCalled()
})

test('the launcher has gone when two looks have found no directory', async () => {
  const sights = [failure('ENOENT'), [], failure('ENOENT'), failure('ENOENT')]
  const { onEnd, listed } = follow(async () => {
    const sight = sights.shift() ?? []
    if (sight instanceof Error) throw sight
    return Promise.resolve(sight)
  })
  await vi.advanceTimersByTimeAsync(1_600)
  expect(listed).toHaveBeenCalledTimes(3)
  expect(onEnd).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(500)
  expect(onEnd).toHaveBeenCalledOnce()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(listed).toHaveBeenCalledTimes(4)
})

test.each(['ESTALE', 'EIO', 'ETIMEDOUT', 'EMFILE', 'EACCES'])('%s is borne for 25 s', async (code) => {
  let fails = true
  const { onEnd } = follow(async () => {
    if (fails) throw failure(code)
    return Promise.resolve([])
  })
  await vi.advanceTimersByTimeAsync(20_000)
  fails = false
  await vi.advanceTimersByTimeAsync(2_000)
  fails = true
  await vi.advanceTimersByTimeAsync(23_000)
  expect(onEnd).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(onEnd).toHaveBeenCalledOnce()
})

test('one look that fails is borne, however seldom a rank looks', async () => {
  let looks = 0
  const { onEnd } = follow(async () => {
    if (++looks > 1 && looks !== 3) throw failure('EIO')
    return Promise.resolve([])
  }, 30_000)
  await vi.advanceTimersByTimeAsync(145_000)
  expect(onEnd).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(onEnd).toHaveBeenCalledOnce()
})

test('there is one look at a time, where one does not come back', async () => {
  const { words, onEnd, listed } = follow(async () => new Promise(() => undefined))
  await vi.advanceTimersByTimeAsync(20_000)
  expect(listed).toHaveBeenCalledOnce()
  expect(words.isSilent).toBe(true)
  expect(onEnd).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(onEnd).toHaveBeenCalledOnce()
})

test.each([
  ['twice a second before the run, and once a second in it', 0, 20, 10],
  ['less often where there are many', 5_000, 2, 2],
])('a rank looks %s', async (_, leastInterval, starting, running) => {
  let names: readonly string[] = []
  const { listed } = follow(async () => Promise.resolve(names), leastInterval)
  await vi.advanceTimersByTimeAsync(10_010)
  expect(listed).toHaveBeenCalledTimes(starting)
  names = ['1-3-begin']
  await vi.advanceTimersByTimeAsync(5_000)
  listed.mockClear()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(listed).toHaveBeenCalledTimes(running)
})
