import { expect, test } from 'vitest'
import type { SchedulerIdentity } from '../../src/dask/answers.ts'
import { pausedWorkers } from '../../src/dask/present-workers.ts'

const mib = 2 ** 20

function scheduler(
  workers: Readonly<Record<string, Partial<SchedulerIdentity['workers'][string]>>>,
): SchedulerIdentity {
  const whole = Object.entries(workers).map(([address, worker]) => [
    address,
    { id: 2, host: '10.0.0.2', nthreads: 1, memory_limit: 500 * mib, status: 'running', ...worker },
  ])
  const all = Object.fromEntries(whole) as SchedulerIdentity['workers']
  return { type: 'Scheduler', id: 'Scheduler-1', address: 'tcp://10.0.0.1:8786', started: 0, workers: all }
}

test('paused workers are named with what they have of their memory, and others not', () => {
  const paused = { status: 'paused' }
  const workers = { a: { id: 10, ...paused, metrics: { memory: 410 * mib } }, b: { id: 9, ...paused }, c: { id: 3 } }
  expect(pausedWorkers(scheduler(workers))).toBe(
    '9 on 10.0.0.2 (paused), 10 on 10.0.0.2 (paused at 410 MiB of 500 MiB)',
  )
  expect(pausedWorkers(scheduler({ c: {} }))).toBeUndefined()
  const many = Object.fromEntries(Array.from({ length: 23 }, (_, id) => [`tcp://${id}`, { id, ...paused }]))
  expect(pausedWorkers(scheduler(many))).toMatch(
    /^0 on 10.0.0.2 \(paused\), .*, 19 on 10.0.0.2 \(paused\), and 3 more$/,
  )
})
