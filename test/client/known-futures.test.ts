import { afterEach, expect, test, vi } from 'vitest'
import { RunnerError } from '../../src/errors.ts'
import type { HelperConnection } from '../../src/client/connection.ts'
import { KnownFutures } from '../../src/client/known-futures.ts'
import { futureNumber } from '../../src/client/values/dependencies.ts'

afterEach(() => vi.useRealTimers())

test('what is asked about futures once the cluster is lost says that, and not that they were released', async () => {
  const error = new RunnerError('Lost the scheduler at tcp://a:1', { code: 'ERR_COMPONENT_LOST' })
  const connection = { onReport: () => undefined, lost: Promise.resolve(error), error, send: () => undefined }
  const states = new KnownFutures(connection as unknown as HelperConnection, () => undefined)
  const { number } = states.make('f')
  await connection.lost
  // As of a dataset that was found just before.
  await expect(states.value(states.make('g'))).rejects.toBe(error)
  expect(() => states.numbersOf([{ [futureNumber]: number }])).toThrow('Lost the scheduler at tcp://a:1')
})

test('a scheduler that does not say why a task is pending is not waited for', async () => {
  vi.useFakeTimers()
  let abandoned = false
  const request = async (_: unknown, signal?: AbortSignal): Promise<never> =>
    await new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => {
        abandoned = true
        reject(signal.reason as Error)
      })
    })
  const connection = { onReport: () => undefined, lost: new Promise(() => undefined), request }
  const states = new KnownFutures(connection as unknown as HelperConnection, () => undefined)
  const late = new RunnerError('it is pending after 5 s', { code: 'ERR_TIMED_OUT' })
  const explained = states.explain(states.make('f'), late)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await explained).toBe(late)
  // Else its answer would keep this process alive.
  expect(abandoned).toBe(true)
})
