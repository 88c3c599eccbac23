import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { SchedulerClient } from '../../src/dask/scheduler-client.ts'
import { Sampler, samplingInterval } from '../../src/run/sampler.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A scheduler with so many workers. */
function make({ workers = 2, countsTasks = true } = {}) {
  const dispose = vi.fn()
  const all = Object.fromEntries(Array.from({ length: workers }, (_, i) => [`tcp://10.0.0.${i}:1`, {}]))
  const client = {
    identity: vi.fn(async () => await Promise.resolve({ workers: all })),
    taskCounts: vi.fn(async () => await Promise.resolve({ now: {}, ever: {} })),
  }
  const onAnswer = vi.fn()
  const call = async <T>(work: (client: SchedulerClient) => Promise<T>): Promise<T> =>
    await work(client as unknown as SchedulerClient)
  const sampler = new Sampler({ link: { call, [Symbol.dispose]: dispose }, countsTasks, onAnswer })
  return { sampler, client, onAnswer, dispose }
}

it('looks at once and every 2 s, until the run ends; then once more', async () => {
  const { sampler, onAnswer, dispose } = make()
  sampler.start()
  await vi.advanceTimersByTimeAsync(1_999)
  expect(onAnswer).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(8_001)
  expect(onAnswer).toHaveBeenCalledTimes(6)
  sampler.finish()
  sampler.finish()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(onAnswer).toHaveBeenCalledTimes(7)
  expect(vi.getTimerCount()).toBe(0)
  sampler[Symbol.dispose]()
  expect(dispose).toHaveBeenCalledTimes(1)
})

it('looks less often at many workers', async () => {
  expect([1, 100, 1_000, 10_000].map(samplingInterval)).toEqual([2_000, 2_000, 10_000, 100_000])
  const { sampler, onAnswer } = make({ workers: 1_000 })
  sampler.start()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(onAnswer).toHaveBeenCalledTimes(7)
  sampler[Symbol.dispose]()
})

it('goes on after a scheduler that does not answer, and begins no second look beside one that waits', async () => {
  const { sampler, client, onAnswer } = make()
  client.identity.mockImplementationOnce(async () => await Promise.reject(new Error('silent')))
  sampler.start()
  await vi.advanceTimersByTimeAsync(2_000)
  expect(onAnswer).toHaveBeenCalledTimes(1)
  client.identity.mockImplementation(async () => await new Promise(() => undefined))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(client.identity).toHaveBeenCalledTimes(3)
  sampler[Symbol.dispose]()
})

it('asks the scheduler of another run for no tasks, which it cannot count', async () => {
  const { sampler, client, onAnswer } = make({ countsTasks: false })
  sampler.start()
  await vi.advanceTimersByTimeAsync(0)
  expect(client.taskCounts).not.toHaveBeenCalled()
  expect(onAnswer).toHaveBeenCalledWith(expect.objectContaining({ tasks: undefined }))
  sampler[Symbol.dispose]()
})
