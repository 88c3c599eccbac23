import { expect, test, vi } from 'vitest'
import type { WorkerPlan, WorkerProcess } from '../../src/components/local-components.ts'
import { Workers, type WorkersParts } from '../../src/run/workers.ts'
import { deferred } from '../../src/util/deferred.ts'

/** The workers of a process, of which one is planned, and what has become of it. */
function oneWorker(planned: Promise<unknown> = Promise.resolve()) {
  const start = deferred<WorkerProcess>()
  const kill = vi.fn()
  const exited = new Promise<never>(() => undefined)
  const worker = {
    name: 'worker 2',
    tail: [],
    started: exited,
    exited,
    kill,
  } as Partial<WorkerProcess> as WorkerProcess
  const starting = vi.fn(async () => await start.promise)
  const plan: WorkerPlan = { name: '2', memoryLimit: undefined, start: starting }
  const components = {
    planWorkers: async () => {
      await planned
      return [plan]
    },
    stopWorkers: async () => Promise.resolve(),
  }
  const run = { options: { scheduler: true, workerCommand: 'w', workersTimeout: 300_000, workerRestarts: 3 } }
  const parts = { run, components, member: { send: vi.fn() }, shutdown: {}, hooks: {} } as unknown as WorkersParts
  const begin = (): void => {
    start.resolve(worker)
  }
  return { workers: new Workers(parts), starting, begin, kill }
}

test('a worker command whose program is still looked at when the run ends is killed as soon as it is started', async () => {
  const { workers, starting, begin, kill } = oneWorker()
  const started = workers.start('tcp://10.0.0.1:8786')
  await vi.waitFor(() => {
    expect(starting).toHaveBeenCalledOnce()
  })
  // It ends all that are there.
  await workers.stop(1_000)
  expect(kill).not.toHaveBeenCalled()
  begin()
  await started
  expect(kill).toHaveBeenCalledOnce()
})

test('a worker that runs when the run ends is left to its order to close', async () => {
  const { workers, begin, kill } = oneWorker()
  begin()
  await workers.start('tcp://10.0.0.1:8786')
  await workers.stop(1_000)
  expect(kill).not.toHaveBeenCalled()
})

test('no worker is started that was only planned when the run ended', async () => {
  const planned = deferred<undefined>()
  const { workers, starting } = oneWorker(planned.promise)
  const started = workers.start('tcp://10.0.0.1:8786')
  await workers.stop(1_000)
  planned.resolve(undefined)
  await started
  expect(starting).not.toHaveBeenCalled()
})
