import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { expect, expectTypeOf, test } from 'vitest'
import { Client } from '../../src/client/client.ts'
import { py, withClient } from '../../src/client/callable.ts'
import type { Future } from '../../src/client/future.ts'
import type { TaskFuture } from '../../src/client/task-future.ts'
import { TaskError } from '../../src/client/task-error.ts'
import { python } from '../support/cluster.ts'
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

test('it is done also by a worker that joins when the client is closed', async () => {
  const { client, cluster } = shared()
  await using other = await Client.connect(client.schedulerAddress, { python })
  const paths = ['late-python', 'late-javascript'].map((name) => cluster.path(name))
  cluster.expectFile('late-*')
  const touch = [
    py`lambda path: __import__("pathlib").Path(path).touch()`,
    async (path: string): Promise<void> => {
      const { writeFileSync } = await import('node:fs')
      writeFileSync(path, '')
    },
  ]
  const options = { resources: { LATE: 1 } }
  other.fireAndForget(touch.map((one, i) => other.submit<[string], unknown>(one, [paths[i] ?? ''], options)))
  await other.close()
  const worker = ['-m', 'distributed.cli.dask_worker', '--no-nanny', '--no-dashboard', '--resources', 'LATE=1']
  const late = cluster.start([python, ...worker, client.schedulerAddress])
  await until(
    () => paths.every((path) => existsSync(path)),
    (there) => there,
    { what: 'the files of tasks that were forgotten', say: () => late.stderr },
  )
  late.signal('SIGTERM')
  await late.ended
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
  // A result that looks like a task of Dask goes to a call with a time limit as it is.
  const likeTasks = client.submit(py`lambda: [(len, [1, 2])]`)
  const shown = client.map(py<string>`lambda _, x: repr(x)`, [1, 2], [likeTasks, likeTasks], { timeLimit: '1m' })
  expect(await client.gather(shown)).toEqual(Array(2).fill('[(<built-in function len>, [1, 2])]'))
  // Its own error of the same type is its own.
  await expect(client.submit(py`lambda: [].index(1)`, [], { timeLimit: '1m' }).result()).rejects.toMatchObject({
    kind: 'python',
    pythonType: 'ValueError',
  })
  expect(() => client.submit(py`print`, [], { timeLimit: 0 })).toThrow(/^Cannot use timeLimit 0: it has to be a length/)
})

test('a scope gives a function values, futures and functions under their names', async () => {
  const { client } = shared()
  const [k, names, half] = [3, new Map([['a', 1]]), (x: number): number => x / 2]
  const total = client.submit((x: number) => x, [100])
  const f = (x: number): number => half(x) * k + (names.get('a') ?? 0) + (total as unknown as number)
  expect(await client.submit(f, [4], { scope: { k, names, half, total } }).result()).toBe(107)
  const down = (n: number): number => (n === 0 ? k : down(n - 1))
  expect(await client.gather(client.map(down, [1, 5], { scope: { k } }))).toEqual([3, 3])
  expect(await client.gather(client.map(down, [1, 5], { scope: { k: 4 } }))).toEqual([4, 4])
  const refused = (): unknown => client.submit(() => names, [], { scope: { names: [Symbol('s')] } })
  expect(refused).toThrow('Cannot send scope.names[0]: it is a symbol; a structured clone has no form of it')
  expect(() => client.submit(f, [1], { scope: 5 as unknown as { k: number } })).toThrow(
    'Cannot use scope 5: it has to be an object',
  )
})

test('a Python file that is here runs there, by its last function or by name', async () => {
  const { client, cluster } = shared()
  const path = cluster.path('tasks.py')
  await writeFile(
    path,
    'import math\n\ndef scale(x):\n    return math.sqrt(x) * 2\n\ndef fail():\n    raise KeyError("here")\n',
  )
  cluster.expectFile('tasks.py')
  const scale = py.file<number, [x: number]>(path, 'scale')
  expect(await client.submit(scale, [16]).result()).toBe(8)
  await expect(client.submit(py.file(pathToFileURL(path))).result()).rejects.toMatchObject({
    traceback: expect.stringContaining(`File "${path}", line 7, in fail\n    raise KeyError`) as string,
  })
  await expect(client.submit(py.file(path, 'math')).result()).rejects.toThrow(/it is of type module/)
  expect(() => py.file('/no/such.py')).toThrow('Cannot send the Python file "/no/such.py": ENOENT')
})

test('futures come as they complete, with results, and with those that are added meanwhile', async () => {
  const { client } = shared()
  const fail = (x: number): number => {
    if (x < 0) throw new RangeError('negative')
    return x
  }
  const seen: number[] = []
  const completed = client.asCompleted(client.map(fail, [1, 2]), { withResults: true })
  expect(completed.count).toBe(2)
  for await (const [future, result] of completed) {
    expectTypeOf(result).toEqualTypeOf<number>()
    expect(future.status).toBe('finished')
    seen.push(result)
    if (result < 10) completed.add(client.submit((x: number) => x * 10, [result]))
  }
  expect(seen.toSorted((a, b) => a - b)).toEqual([1, 2, 10, 20])
  const one = client.submit(fail, [-1])
  await expect(client.asCompleted([one], { withResults: true }).next()).rejects.toMatchObject({ kind: 'javascript' })
  for await (const [future, error] of client.asCompleted([one], { withResults: true, raiseErrors: false })) {
    expect(future).toBe(one)
    expect(error).toBeInstanceOf(TaskError)
  }
  const settled = await client.gatherSettled([one, client.submit(fail, [5])])
  expectTypeOf(settled).toEqualTypeOf<[PromiseSettledResult<number>, PromiseSettledResult<number>]>()
  expect(settled).toEqual([
    { status: 'rejected', reason: await one.exception() },
    { status: 'fulfilled', value: 5 },
  ])
  const never = client.submit(() => 1, [], { resources: { TPU: 1 } })
  await expect(client.gatherSettled([never], { timeout: 20 })).rejects.toThrow('Cannot gather 1 results: 1 are pending')
  await expect(client.asCompleted([never], { timeout: 20 }).next()).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
})

test('map takes several iterables, and an async one with a bound of what is under way', async () => {
  const { client } = shared()
  const add = (x: number, y: number): number => x + y
  expect(await client.gather(client.map(add, [1, 2, 3], [10, 20]))).toEqual([11, 22])
  const python = py<string, [string, number, number]>`lambda a, b, c: f"{a}{b}{c}"`
  expect(await client.gather(client.map(python, 'ab', [1, 2], [3, 4], { priority: 1 }))).toEqual(['a13', 'b24'])
  let taken = 0
  const items = async function* (): AsyncGenerator<number> {
    for (; taken < 50; taken++) yield await Promise.resolve(taken)
  }
  const results: number[] = []
  for await (const future of client.map((x: number) => 2 * x, items(), { concurrency: 4 })) {
    results.push(await future.result())
    expect(taken).toBeLessThanOrEqual(results.length + 4)
    if (results.length === 10) break
  }
  expect(results).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
})

test('a JavaScript task submits tasks and waits for them, and others run in its place meanwhile', async () => {
  const { client } = shared()
  // Deeper than there are threads: none of them may be held by one that waits.
  const sum = withClient(async function sum(client, numbers: number[]): Promise<number> {
    if (numbers.length < 3) return numbers.reduce((a, b) => a + b, 0)
    const middle = numbers.length >> 1
    const halves = [numbers.slice(0, middle), numbers.slice(middle)].map((half) => client.submit(sum, [half]))
    const add = (a: number, b: number): number => a + b
    return await client.submit(add, [halves[0] ?? 0, halves[1] ?? 0]).result()
  })
  const total = client.submit(sum, [[...Array(12).keys()]])
  expectTypeOf(total).toEqualTypeOf<Future<number>>()
  expect(await total.result({ timeout: '4m' })).toBe(66)
  const failing = withClient(async (client) => {
    const parts = client.map(
      (x: number) => {
        if (x === 2) throw new RangeError('two')
        return new Float64Array(1000).fill(x)
      },
      [1, 2],
    )
    const values = await Promise.allSettled(parts.map(async (part) => await part.result()))
    const reason = (values[1] as PromiseRejectedResult).reason as TaskError
    return [(values[0] as PromiseFulfilledResult<Float64Array>).value[999], reason.kind, String(reason.cause)]
  })
  expect(await client.submit(failing).result()).toEqual([1, 'javascript', 'RangeError: two'])
  // That it has a variable from outside cannot be seen where it is made elsewhere.
  const hiding = withClient(async (client, k: number) => {
    const make = (): ((x: number) => number) => (x) => x * k
    return await client.submit(make(), [1]).result()
  })
  await expect(client.submit(hiding, [2]).result()).rejects.toThrow(
    'it uses "k", which is defined outside of it; a function that a task submits is sent by its text alone: pass what it needs',
  )
  expect(() =>
    client.submit(
      withClient(async (client, k: number) => await client.submit((x: number) => x * k, [1]).result()),
      [2],
    ),
  ).toThrow('it submits a function that uses "k" of the function around it')
  const refused = withClient(
    async (client) => await client.submit(() => 1, [], { retries: 'many' as unknown as number }).result(),
  )
  await expect(client.submit(refused).result()).rejects.toThrow(
    "Cannot use retries 'many': it has to be a whole number from 0",
  )
})

test('what a JavaScript task has submitted ends with it, however that ends', async () => {
  const { client } = shared()
  // As many as there are threads: what is left of one jams the cluster.
  const outer = withClient(async (client, throws: boolean) => {
    const parts = client.map(async () => await new Promise<never>(() => undefined), [1, 2, 3])
    const results = Promise.all(parts.map(async (part) => await part.result()))
    if (!throws) return await results
    results.catch(() => undefined)
    throw new Error('the outer one')
  })
  const processing = async (): Promise<number> =>
    await client.runOnScheduler(
      py<number>`lambda dask_scheduler: sum(one.state == "processing" for one in dask_scheduler.tasks.values())`,
    )
  const usable = async (): Promise<void> => {
    const one = client.map((x) => x + 1, [1, 2, 3, 4, 5, 6])
    expect(await client.gather(one, { timeout: '4m' })).toEqual([2, 3, 4, 5, 6, 7])
  }
  const cancelled = client.submit(outer, [false])
  await until(processing, (number) => number === 4, { what: 'a task and three of its own', say: String })
  cancelled.cancel()
  expect(await cancelled.exception()).toMatchObject({ kind: 'cancelled' })
  await usable()
  const late = client.submit(outer, [false], { timeLimit: '2s' })
  expect(await late.exception()).toMatchObject({ kind: 'timeout' })
  await usable()
  await expect(client.submit(outer, [true]).result()).rejects.toThrow('the outer one')
  await usable()
})

test('what a JavaScript task leaves running submits nothing more, and is no part of the next task', async () => {
  const { client } = shared()
  const [workers, timeout] = [[1], { timeout: '4m' } as const]
  const leaving = withClient((client) => {
    const later = new Promise((resolve) => setTimeout(resolve, 300))
    const left = later.then(async () => await client.submit(() => 'of the first').result())
    const kept = client.submit(() => 'kept')
    Object.assign(globalThis, { kept, left: left.catch((error: unknown) => (error as Error).message) })
    return process.pid
  })
  const first = await client.submit(leaving, [], { workers }).result(timeout)
  const next = withClient(async (client) => {
    const own = client.submit(() => 'of the second')
    const { kept, left } = globalThis as unknown as { kept: TaskFuture<string>; left: Promise<string> }
    const errors = [await left]
    try {
      client.submit((x: string) => x, [kept])
    } catch (error) {
      errors.push((error as Error).message)
    }
    return [process.pid, await own.result(), ...errors] as const
  })
  expect(await client.submit(next, [], { workers }).result(timeout)).toEqual([
    first,
    'of the second',
    'Cannot submit: the function that was given this client has ended',
    'Cannot pass a future of another task: the client that has given it has ended',
  ])
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
    'Cannot run "some" on the workers: there is no option wait; its options are workers, onError, kwargs, signal, timeout',
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
  const link = /^http:\/\/127\.0\.0\.1:\d+\/status$/
  const hasBokeh = await client.runOnScheduler(
    py<boolean>`lambda: bool(__import__("importlib.util").util.find_spec("bokeh"))`,
  )
  // The next client comes when there is one.
  const stand = py`lambda: __import__("sys").modules.setdefault("distributed.dashboard.scheduler", None)`
  await client.runOnScheduler(stand)
  await using other = await Client.connect(client.schedulerAddress, { python })
  expect([client.dashboardLink, other.dashboardLink]).toEqual([
    hasBokeh ? expect.stringMatching(link) : undefined,
    expect.stringMatching(link),
  ])
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
    'Cannot ask for the versions of the cluster: there is no option check; its options are signal, timeout',
  )
  await expect(client.nthreads({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
})

test('a published dataset is there for other clients, and when its own futures are gone', async () => {
  const { client } = shared()
  const squares = client.map((x: number) => x * x, [1, 2, 3])
  const text = client.submit(py`lambda: "one"`)
  await client.publishDataset('squares', squares)
  await client.publishDataset('text', text)
  await expect(client.publishDataset('text', squares)).rejects.toThrow(
    'Cannot publish the dataset "text": there is a dataset of that name; unpublish it, or set override',
  )
  await client.publishDataset('text', text, { override: true })
  const refused = client.submit((x: number) => x, [1], { workers: [99] })
  await expect(client.publishDataset('refused', [text, refused])).rejects.toThrow(
    'Cannot publish the dataset "refused": one of its futures could not be submitted, or was cancelled',
  )
  for (const future of [...squares, text]) future.release()
  await using other = await Client.connect(client.schedulerAddress, { python })
  expect((await other.listDatasets()).toSorted()).toEqual(['squares', 'text'])
  const one = await other.getDataset<Future<string>>('text')
  const several = await other.getDataset<[Future<number>, Future<number>, Future<number>]>('squares')
  expect(await one.result()).toBe('one')
  expect(await other.gather(several)).toEqual([1, 4, 9])
  expect(await other.submit((x: number) => x + 1, [several[2]]).result()).toBe(10)
  await expect(other.getDataset('none')).rejects.toThrow(
    'Cannot get the dataset "none": there is no dataset of that name',
  )
  await client.unpublishDataset('text')
  await client.unpublishDataset('squares')
  expect(await client.listDatasets()).toEqual([])
  await expect(client.publishDataset('', squares)).rejects.toThrow("Cannot use the name ''")
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
