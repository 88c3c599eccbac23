import { expect, it, vi } from 'vitest'
import { shared } from '../../src/util/shared.ts'
import { sleep } from '../../src/util/wait.ts'

it('does the work once for all that ask while it is under way, and for a while', async () => {
  const work = vi.fn(async () => {
    await sleep(20)
    return work.mock.calls.length
  })
  const ask = shared(work, 200)
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1])
  expect(await ask()).toBe(1)
  await sleep(400)
  expect(await ask()).toBe(2)
})

it('does it again where it failed, after the same while', async () => {
  const work = vi.fn<() => Promise<number>>().mockRejectedValueOnce(new Error('no')).mockResolvedValue(1)
  const ask = shared(work, 50)
  await expect(Promise.all([ask(), ask()])).rejects.toThrow('no')
  expect(work).toHaveBeenCalledTimes(1)
  await sleep(200)
  expect(await ask()).toBe(1)
})
