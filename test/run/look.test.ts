import { expect, it } from 'vitest'
import type { SchedulerIdentity, WorkerIdentity } from '../../src/dask/answers.ts'
import { lookAt } from '../../src/run/look.ts'

const scheduler = { type: 'Scheduler', id: 'Scheduler-1', address: 'tcp://10.0.0.1:8786', started: 1 } as const

function worker(id: string | number, parts: Partial<WorkerIdentity> = {}): WorkerIdentity {
  return { id, host: '10.0.0.2', nthreads: 2, memory_limit: 1_000, status: 'running', ...parts }
}

function look(workers: readonly WorkerIdentity[], tasks?: Parameters<typeof lookAt>[0]['tasks']) {
  const all = Object.fromEntries(workers.map((each, i) => [`tcp://10.0.0.2:${i}`, each]))
  const identity: SchedulerIdentity = { ...scheduler, workers: all }
  return lookAt({ identity, tasks }, (name) => (name === '3' ? 'node3' : undefined))
}

it('adds up what workers tell, by host as well', () => {
  const traffic = { host_net_io: { read_bps: 500, write_bps: 50 } }
  const { cluster, hosts, workers } = look([
    worker(2, { metrics: { memory: 100, cpu: 150, spilled_bytes: { disk: 7 }, ...traffic } }),
    worker('2-b', { metrics: { memory: 10, cpu: 50, host_net_io: { read_bps: 400, write_bps: 60 } } }),
    worker(3, { host: '10.0.0.3', status: 'paused', metrics: { memory: 900, transfer: { incoming_count_total: 4 } } }),
  ])
  expect(cluster).toEqual({
    ...{ workers_running: 2, workers_paused: 1, workers_other: 0, memory: 1_010, memory_limit: 3_000, spilled: 7 },
    // What two workers tell of one host is the same traffic.
    ...{ cpu: 2, threads: 6, received: 500, sent: 60 },
  })
  expect([...hosts]).toEqual([
    ['10.0.0.2', { memory: 110, memory_limit: 2_000, spilled: 7, cpu: 2, threads: 4 }],
    ['node3', { memory: 900, memory_limit: 1_000, spilled: 0, cpu: 0, threads: 2 }],
  ])
  expect(workers.map(({ name, host, transfers }) => [name, host, transfers])).toEqual([
    ['2', '10.0.0.2', undefined],
    ['2-b', '10.0.0.2', undefined],
    ['3', 'node3', 4],
  ])
})

it('knows no limit of memory where a worker has none', () => {
  const { cluster, workers } = look([worker(2), worker(3, { memory_limit: 0 })])
  expect(cluster).not.toHaveProperty('memory_limit')
  expect(workers.map(({ memoryLimit }) => memoryLimit)).toEqual([1_000, undefined])
})

it('takes what a worker tells in another form for nothing', () => {
  const odd = { transfer: 'many', spilled_bytes: { disk: 'x' }, host_net_io: null, memory: 5 }
  const { cluster, workers } = look([worker(2, { metrics: odd })])
  expect(cluster).toMatchObject({ memory: 5, spilled: 0, received: 0, sent: 0 })
  expect(workers[0]).toMatchObject({ transfers: undefined, spilled: undefined, cpu: undefined })
})

it('tells of tasks where the scheduler counts them', () => {
  const now = { waiting: 1, 'no-worker': 2, queued: 30, processing: 4, memory: 5, erred: 6, released: 7, forgotten: 99 }
  expect(look([], { now, ever: { memory: 50, erred: 8 } }).cluster).toMatchObject({
    ...{ tasks_waiting: 3, tasks_queued: 30, tasks_processing: 4, tasks_in_memory: 5, tasks_failed: 6 },
    ...{ tasks_released: 7, ever_finished: 50, ever_failed: 8 },
  })
  expect(Object.keys(look([]).cluster).filter((name) => /task|ever/.test(name))).toEqual([])
})
