import { expect, it } from 'vitest'
import type { RunContext } from '../../src/identity/run-context.ts'
import { createLogger } from '../../src/logger.ts'
import { WorkerWatch } from '../../src/run/worker-watch.ts'

it('warns of workers with other versions than the scheduler, once for all that have the same', () => {
  const said: string[] = []
  const logger = createLogger({ write: (line) => void said.push(line) })
  const run = { logger, options: { scheduler: false, env: {} }, identity: { host: 'node0' } }
  const link = { call: () => Promise.reject(new Error('not asked')), [Symbol.dispose]: () => undefined }
  using watch = new WorkerWatch(run as unknown as RunContext, { connectScheduler: () => link })
  const versions = { python: '3.11.2', dask: '2024.12.1', distributed: '2024.12.1' }
  watch.begin({ type: 'Scheduler', id: 'Scheduler-1', address: 'tcp://10.0.0.1:8786' }, versions)
  for (let rank = 2; rank < 500; rank++) {
    const older = rank % 3 === 0 ? {} : { python: rank % 3 === 1 ? '3.9.2' : '3.10.1' }
    watch.add({ name: String(rank), rank, host: `node${rank}`, versions: { ...versions, ...older } })
  }
  expect(said.map((line) => /worker \d+ on node\d+/.exec(line)?.[0])).toEqual([
    'worker 2 on node2',
    'worker 4 on node4',
  ])
})
