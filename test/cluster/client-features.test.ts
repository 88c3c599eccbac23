import { existsSync } from 'node:fs'
import { expect, expectTypeOf, test } from 'vitest'
import { py } from '../../src/client/callable.ts'
import type { Future } from '../../src/client/future.ts'
import { TaskError } from '../../src/client/task-error.ts'
import { sharedClient } from '../support/client.ts'
import { until } from '../support/until.ts'

// Only a nanny starts a worker again.
const shared = sharedClient(3, '--nanny')

test('what is fired and forgotten is done though its future is dropped; futures of others are refused', async () => {
  const { client, cluster } = shared()
  const path = cluster.path('forgotten')
  cluster.expectFile('forgotten')
  const touch = py`
    import pathlib, time
    def touch(path, gate):
        pathlib.Path(path).touch()
  `
  // It is under way no sooner than its future is gone.
  const gate = client.submit(py`lambda: __import__("time").sleep(0.3)`)
  const future = client.submit(touch, [path, gate])
  client.fireAndForget(future)
  future.release()
  gate.release()
  await until(
    () => existsSync(path),
    (there) => there,
    { what: 'the file of a task that was forgotten', say: String },
  )
  expect(() => {
    client.fireAndForget([future])
  }).toThrow('Cannot pass a future that was released, or is of another client')
  expect(() => {
    client.fireAndForget([1] as unknown as Future<unknown>[])
  }).toThrow('Cannot use 1 as a future: it is none')
})

test('a call is ended at its time limit, in either language; one that is in time is not', async () => {
  const { client } = shared()
  const never = [
    client.submit(() => new Promise(() => setInterval(() => undefined, 1000)), [], { timeLimit: 300 }),
    client.submit(
      () => {
        for (;;);
      },
      [],
      { timeLimit: '300ms' },
    ),
    client.submit(
      py`
        import time
        def loop():
            while True:
                try:
                    time.sleep(0.01)
                except Exception:
                    pass
      `,
      [],
      { timeLimit: '300ms', retries: 1 },
    ),
    client.submit(
      py`
        import asyncio
        async def loop():
            await asyncio.sleep(3600)
      `,
      [],
      { timeLimit: '300ms' },
    ),
  ]
  for (const future of never) {
    const error = await future.exception()
    expect(error).toBeInstanceOf(TaskError)
    expect(error).toMatchObject({ kind: 'timeout', code: 'ERR_TIMED_OUT' })
    expect(error?.message).toBe(`Cannot compute "${future.key}": its call was ended at its time limit of 0.3 s`)
  }
  const inTime = [
    client.submit((x: number) => x + 1, [1], { timeLimit: '1m' }),
    client.submit(py<number>`lambda x: x + 1`, [1], { timeLimit: '1m' }),
    client.submit(
      py<number>`
        async def add(x):
            return x + 1
      `,
      [1],
      { timeLimit: '1m' },
    ),
  ]
  expect(await client.gather(inTime)).toEqual([2, 2, 2])
  // Its own error of the same type is its own.
  await expect(client.submit(py`lambda: [].index(1)`, [], { timeLimit: '1m' }).result()).rejects.toMatchObject({
    kind: 'python',
    pythonType: 'ValueError',
  })
  expect(() => client.submit(py`print`, [], { timeLimit: 0 })).toThrow(/^Cannot use timeLimit 0: it has to be a length/)
})

test('run calls a function on every worker and on the scheduler, beside the tasks', async () => {
  const { client } = shared()
  const addresses = Object.keys((await client.schedulerInfo()).workers)
  const named = await client.run(py<string>`lambda prefix, dask_worker: prefix + str(dask_worker.name)`, ['w'])
  expectTypeOf(named).toEqualTypeOf<Readonly<Record<string, string>>>()
  expect(Object.keys(named).toSorted()).toEqual(addresses.toSorted())
  expect(Object.values(named).toSorted()).toEqual(['w1', 'w2', 'w3'])
  const javascript = await client.run((x: number) => ({ x, pid: process.pid }), [7])
  expect(Object.values(javascript).map(({ x }) => x)).toEqual([7, 7, 7])
  const some = await client.run(
    py<number>`
      import asyncio
      async def double(x=1):
          await asyncio.sleep(0)
          return 2 * x
    `,
    [],
    { workers: [2], kwargs: { x: 4 } },
  )
  expect(Object.values(some)).toEqual([8])
  expect(await client.runOnScheduler(py<string>`lambda dask_scheduler: dask_scheduler.address`)).toBe(
    client.schedulerAddress,
  )
  expect(await client.runOnScheduler((x: number) => x + 1, [1])).toBe(2)
})

test('what fails in run is thrown, returned or left out, and harms neither worker nor scheduler', async () => {
  const { client } = shared()
  const some = py<string>`
    def some(dask_worker):
        if str(dask_worker.name) == "2":
            raise KeyError("no such")
        return "fine"
  `
  await expect(client.run(some)).rejects.toMatchObject({
    kind: 'python',
    pythonType: 'KeyError',
    message: expect.stringMatching(/^Cannot compute "some on tcp:[^"]*": KeyError: 'no such'/) as string,
  })
  const returned = Object.values(await client.run(some, [], { onError: 'return' }))
  expect(returned.filter((one) => one instanceof TaskError)).toHaveLength(1)
  expect(Object.values(await client.run(some, [], { onError: 'ignore' }))).toEqual(['fine', 'fine'])
  for (const what of ['raise SystemExit(3)', 'return object()']) {
    const text = py`
      def fail(what):
          exec("def f():\n " + what, globals())
          return f()
    `
    await expect(client.run(text, [what])).rejects.toThrow(TaskError)
    await expect(client.runOnScheduler(text, [what])).rejects.toThrow(TaskError)
  }
  await expect(
    client.run(() => {
      throw new RangeError('thrown')
    }),
  ).rejects.toMatchObject({ cause: expect.any(RangeError) as RangeError })
  await expect(client.run(some, [], { workers: [77] })).rejects.toThrow(
    /^Cannot run "some" on the workers: there is no worker 77; the workers are: /,
  )
  await expect(client.run(some, [], { wait: true } as object)).rejects.toThrow(
    'Cannot run "some" on the workers: there is no option wait; its options are workers, onError, kwargs',
  )
  const future = client.submit((x: number) => x, [1])
  await expect(client.run((x: number) => x, [future as unknown as number])).rejects.toThrow('it takes no futures')
  await expect(client.run(py`lambda: __import__("time").sleep(0.5)`, [], { timeout: 50 })).rejects.toMatchObject({
    code: 'ERR_TIMED_OUT',
    message: 'Cannot run "lambda" on the workers after 50 ms',
  })
  expect(await future.result()).toBe(1)
})

test('what the scheduler knows: the dashboard, threads, versions, logs, and where results are', async () => {
  const { client } = shared()
  expect(client.dashboardLink).toMatch(/^http:\/\/.*:\d+\/status$/)
  const addresses = Object.keys((await client.schedulerInfo()).workers)
  expect(await client.nthreads()).toEqual(Object.fromEntries(addresses.map((address) => [address, 1])))
  const [address] = Object.keys(await client.nthreads({ workers: [2] }))
  const { scheduler, workers, client: helper } = await client.getVersions()
  expect(Object.keys(workers).toSorted()).toEqual(addresses.toSorted())
  expect(scheduler.packages.distributed).toMatch(/^20\d\d\./)
  expect(helper.packages.dask).toBe(scheduler.packages.dask)
  const future = client.submit((x: number) => x, [1], { workers: [2] })
  await future.result()
  expect(await client.whoHas([future])).toEqual({ [future.key]: [address] })
  expect(Object.keys(await client.whoHas())).toContain(future.key)
  expect(await client.whoHas([])).toEqual({})
  await client.run(py`lambda: __import__("logging").getLogger("distributed.worker").warning("a line of mine")`)
  const logs = await client.getWorkerLogs({ workers: [2], n: 1 })
  expect(Object.keys(logs)).toEqual([address])
  expect(logs[address ?? '']).toEqual([['WARNING', expect.stringContaining('a line of mine') as string]])
  expect((await client.getSchedulerLogs({ n: 2 })).map(([level]) => level)).toHaveLength(2)
  await expect(client.getWorkerLogs({ n: 0 })).rejects.toThrow('Cannot use n 0: it has to be a whole number from 1')
  await expect(client.getVersions({ check: true } as object)).rejects.toThrow(
    'Cannot ask for the versions of the cluster: there is no option check; its options are signal and timeout only',
  )
  await expect(client.nthreads({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
})

test('restart forgets everything, and the workers are there again', async () => {
  const { client } = shared()
  const future = client.submit((x: number) => x, [1])
  await future.result()
  await client.restart()
  await expect(future.result()).rejects.toMatchObject({ kind: 'cancelled' })
  expect(future.status).toBe('cancelled')
  expect(Object.keys(await client.nthreads())).toHaveLength(3)
  expect(await client.submit((x: number) => x, [1]).result()).toBe(1)
})

test('results move to other workers when they are rebalanced and when a worker retires', async () => {
  const { client } = shared()
  const futures = client.map((n: number) => new Float64Array(1_000_000).fill(n), [1, 2, 3, 4], { workers: [1] })
  await client.gather(futures.map((future) => client.submit((a: Float64Array) => a.length, [future])))
  await client.rebalance(futures)
  const [there] = Object.keys(await client.nthreads({ workers: [1] }))
  const retired = await client.retireWorkers({ workers: [1], closeWorkers: false })
  expect(Object.keys(retired)).toEqual([there])
  expect(Object.values(await client.whoHas(futures)).flat()).not.toContain(there)
})
