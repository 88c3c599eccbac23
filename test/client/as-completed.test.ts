import { expect, test } from 'vitest'
import { AsCompleted } from '../../src/client/as-completed.ts'
import type { Future } from '../../src/client/future.ts'
import { futureNumber } from '../../src/client/values/dependencies.ts'
import { deferred } from '../../src/util/deferred.ts'

test('whoever asks before the last one has been given gets the next, and the end when there is none', async () => {
  const ends = [deferred<undefined>(), deferred<undefined>()]
  const futures = ends.map((_, i) => ({ [futureNumber]: i }) as unknown as Future<unknown>)
  const completed = new AsCompleted<Future<unknown>>(
    futures,
    async (future) => {
      await ends[futures.indexOf(future)]?.promise
      return () => future
    },
    async (promise) => await promise,
  )
  const asked = [completed.next(), completed.next(), completed.next()]
  ends[1]?.resolve(undefined)
  ends[0]?.resolve(undefined)
  expect(await Promise.all(asked)).toEqual([
    { done: false, value: futures[1] },
    { done: false, value: futures[0] },
    { done: true, value: undefined },
  ])
})
