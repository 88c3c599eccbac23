import { expect, test } from 'vitest'
import { RunnerError } from '../../src/errors.ts'
import type { HelperConnection } from '../../src/client/connection.ts'
import { KnownFutures } from '../../src/client/known-futures.ts'
import type { SchedulerInfo } from '../../src/client/cluster-info.ts'
import { needsOf, whyPending } from '../../src/client/why-pending.ts'

const worker = { host: 'a', nthreads: 1, memory_limit: 0, local_directory: '/tmp' }
const info: SchedulerInfo = {
  id: 'Scheduler-1',
  address: 'tcp://a:1',
  workers: {
    'tcp://a:2': { ...worker, name: 2, resources: { GPU: 1 } },
    'tcp://a:3': { ...worker, name: '3-0' },
  },
}

test('only what keeps a task from every worker is known to matter', () => {
  expect(needsOf({ retries: 1 })).toEqual({})
  expect(needsOf({ workers: [2], allowOtherWorkers: true })).toEqual({})
  expect(needsOf({ workers: [2], resources: { GPU: 1 } })).toEqual({ workers: [2], resources: { GPU: 1 } })
})

test('a worker that can run it is busy', () => {
  for (const needs of [
    { workers: [2] },
    { workers: [77, 3] },
    { workers: ['3-0'] },
    { workers: ['tcp://a:2'], resources: { GPU: 1 } },
    { resources: {} },
    {},
  ])
    expect(whyPending(needs, info)).toBeUndefined()
})

test('names and resources that nobody has are told', () => {
  expect(whyPending({ workers: [77] }, info)).toBe('no worker of those it is to run on is there: [ 77 ]')
  expect(whyPending({ resources: { GPU: 2 } }, info)).toBe('no worker has the resources it asks for: { GPU: 2 }')
  expect(whyPending({ workers: [3], resources: { GPU: 1 } }, info)).toBe(
    'no worker of those it is to run on has the resources it asks for: { GPU: 1 }',
  )
  expect(whyPending({ resources: { GPU: 1 } }, { ...info, workers: {} })).toBe('no worker is there')
})

test('a wait that ends while no worker is left says so, also for a task that asks nothing of its worker', async () => {
  const connection = {
    onReport: () => undefined,
    lost: new Promise(() => undefined),
    request: () => Promise.resolve({ ok: { ...info, workers: {} }, buffers: [] }),
  }
  const states = new KnownFutures(connection as unknown as HelperConnection, () => undefined)
  const late = new RunnerError('it is pending after 5 s', { code: 'ERR_TIMED_OUT' })
  for (const state of [states.make('f', needsOf({})), states.make('of a dataset')])
    expect(await states.explain(state, late)).toMatchObject({ message: 'it is pending after 5 s: no worker is there' })
})
