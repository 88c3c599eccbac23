import { writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { pathToFileURL } from 'node:url'
import { expect, expectTypeOf, test } from 'vitest'
import { exported, py, type RemoteFunction } from '../../src/client/callable.ts'
import type { Future } from '../../src/client/future.ts'
import type { SubmitOptions } from '../../src/client/submit-options.ts'
import { NDArray } from '../../src/client/values/nd-array.ts'
import { sharedClient } from '../support/client.ts'
import { until } from '../support/until.ts'

const shared = sharedClient(3, '--resources', 'GPU=1')

const noNumpy = process.env.DASK_HPC_RUNNER_TEST_NO_NUMPY !== undefined

test('a JavaScript and a Python function run on any worker and on the one that is named', async () => {
  const { client } = shared()
  const future = client.submit((x: number) => x + 1, [10])
  expectTypeOf(future).toEqualTypeOf<Future<number>>()
  expect(await future.result()).toBe(11)
  expect(await client.submit(py<number>`lambda x: x + 1`, [10]).result()).toBe(11)
  const where = py<string>`lambda: str(__import__("distributed").get_worker().name)`
  for (const workers of [[2], ['2'], [3]])
    expect(await client.submit(where, [], { workers }).result()).toBe(String(workers[0]))
})

test('a worker that is not there is named, and those that are', async () => {
  const { client } = shared()
  await expect(client.submit((x: number) => x, [1], { workers: [77] }).result()).rejects.toThrow(
    /^Cannot submit ".*": there is no worker 77; the workers are: \d, \d, \d$/,
  )
  // Preferred ones need not be there.
  for (const workers of [[77], [77, 2]])
    expect(await client.submit((x: number) => x, [1], { workers, allowOtherWorkers: true }).result()).toBe(1)
})

test('a task that no worker can run stays pending, and says why when its time is over', async () => {
  const { client } = shared()
  const future = client.submit(() => 1, [], { resources: { TPU: 1 } })
  await expect(future.result({ timeout: 50 })).rejects.toMatchObject({
    code: 'ERR_TIMED_OUT',
    message: `Cannot give the result of "${future.key}": it is pending after 50 ms: no worker has the resources it asks for: { TPU: 1 }`,
  })
  expect(future.status).toBe('pending')
})

test('workers that nothing would start again are not restarted', async () => {
  const { client } = shared()
  await expect(client.restart()).rejects.toThrow(
    /^Cannot restart the workers: nothing starts the workers \d, \d, \d again, which have no nanny; start the cluster with --nanny$/,
  )
  expect(Object.keys(await client.nthreads())).toHaveLength(3)
})

test('Python functions come by their import path and as text', async () => {
  const { client } = shared()
  const call = async (callable: RemoteFunction, args: unknown[] = [], options?: SubmitOptions): Promise<unknown> =>
    await client.submit(callable, args, options).result()
  expect(await call(py.import('math.hypot'), [3, 4])).toBe(5)
  expect(await call(py.import('os.path:basename'), ['/a/b'])).toBe('b')
  expect(await call(py.import('len'), ['abc'])).toBe(3)
  const text = py`
    import math

    def scale(x, factor=1):
        return math.sqrt(x) * factor + ${{ offset: 5 }}["offset"]
  `
  expect(await call(text, [16], { kwargs: { factor: 2 } })).toBe(13)
  await expect(call(py.import('no_such_module.f'))).rejects.toThrow(/no module 'no_such_module'/)
  await expect(call(py`1 + 1`)).rejects.toThrow('Cannot call the Python expression: it is of type int, and no function')
})

test('what JavaScript has goes to JavaScript functions and comes back as it was', async () => {
  const { client } = shared()
  const value = {
    numbers: [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY],
    text: 'é\u{1F600}',
    nothing: [null, undefined],
    big: 2n ** 80n,
    date: new Date(5),
    map: new Map<unknown, unknown>([[{ a: 1 }, new Set([1, 'b'])]]),
    small: new Float32Array([1.5, -1]),
    large: new Float64Array(10_000).fill(0.5),
    bytes: Buffer.from('bytes'),
    view: new DataView(new ArrayBuffer(3)),
    error: new RangeError('a message'),
    itself: undefined as unknown,
  }
  value.itself = value
  const back = await client.submit((x: unknown) => x, [value]).result()
  expect(back).toEqual(value)
  expect((back as typeof value).itself).toBe(back)
  expect((back as typeof value).error).toBeInstanceOf(RangeError)
})

test.skipIf(noNumpy)('what both languages have goes to Python functions and comes back', async () => {
  const { client } = shared()
  const value = [
    ...[1, -1.5, true, null, 'é\u{1F600}', 2 ** 40, Number.POSITIVE_INFINITY, 2n ** 80n, -(2n ** 63n)],
    [new Date(5), new Set([1]), new Map([[1, 2]]), Buffer.from('bytes'), Buffer.alloc(9000, 7)],
    { a: { b: [] } },
    new NDArray(new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3]),
    ...[new Int8Array([-1]), new Uint8Array([255]), new Int16Array([-2]), new Uint16Array([65535])],
    ...[new Int32Array([-3]), new Uint32Array([4]), new Float64Array(5000).fill(0.5), new BigInt64Array([-5n])],
  ]
  const [back, types] = await client
    .submit(py<[unknown, string]>`lambda x: [x, " ".join(type(one).__name__ for one in x)]`, [value])
    .result()
  expect(back).toEqual(value)
  expect(types).toBe('int float bool NoneType str int float int int list dict' + ' ndarray'.repeat(9))
})

test('what cannot cross is named by its place', async () => {
  const { client } = shared()
  expect(() => client.submit(py`print`, [{ a: [1, () => 1] }])).toThrow(
    'Cannot send arguments[0].a[1]: it is a function; Python has no form of it',
  )
  const circle: unknown[] = []
  circle.push(circle)
  expect(() => client.submit(py`print`, [circle])).toThrow('does it contain itself?')
  await expect(client.submit(py`lambda: {"a": [1, object()]}`).result()).rejects.toThrow(
    /value\['a'\]\[1\] is a builtins\.object, which has no form in TypeScript/,
  )
  await expect(client.submit(py`lambda: [__import__("array").array("u", "ab")]`).result()).rejects.toThrow(
    "value[0] is an array of 'u', which has no form in TypeScript; make a str of it with tounicode",
  )
  await expect(client.submit(() => () => 1).result()).rejects.toThrow(
    'Cannot send the result: it is a function; a structured clone has no form of it',
  )
})

test('a result without a form here is there for other tasks; a dependency without one fails its task', async () => {
  const { client } = shared()
  const python = client.submit(py`lambda: len`, [], { workers: [1] })
  await expect(python.result()).rejects.toMatchObject({ kind: 'value' })
  expect(python.status).toBe('finished')
  expect(await client.submit(py<number>`lambda f: f("abc")`, [python]).result()).toBe(3)
  const javascript = client.submit((x: unknown) => x, [python])
  await expect(javascript.result()).rejects.toThrow(/^Cannot compute ".*": Cannot pass the result of dependency 0 to/)
  expect(javascript.status).toBe('error')
  for await (const progress of client.progress([python, javascript]))
    expect(progress).toEqual({ total: 2, finished: 1, failed: 1, pending: 0 })
})

test('a future as an argument is a dependency, inside of arrays and objects too, from either language to the other', async () => {
  const { client } = shared()
  const python = client.submit(py<Float64Array>`lambda n: __import__("array").array("d", range(n))`, [5])
  const sum = client.submit(
    (array: Float64Array) => ({ sum: array.reduce((a, b) => a + b), when: new Date(0) }),
    [python],
  )
  const nested = client.submit(py<number>`lambda o: o["list"][1]["sum"] + len(o["list"][0])`, [{ list: [python, sum] }])
  expect(await nested.result()).toBe(15)
  expect(await client.submit((o: { list: number[] }) => o.list[0], [{ list: [nested] }]).result()).toBe(15)
})

test('functions of every form run, sync and async, and may call themselves', async () => {
  const { client } = shared()
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1))
  const object = {
    double(x: number): number {
      return 2 * x
    },
    async later(x: number): Promise<number> {
      await new Promise((resolve) => setTimeout(resolve, 1))
      return x
    },
  }
  function named(x: number): number {
    const inner = (y: number): number => y + 1
    return inner(x)
  }
  expect(await client.submit(factorial, [5]).result()).toBe(120)
  // eslint-disable-next-line @typescript-eslint/unbound-method -- its text is what counts
  expect(await client.submit(object.double, [5]).result()).toBe(10)
  // eslint-disable-next-line @typescript-eslint/unbound-method
  expect(await client.submit(object.later, [5]).result()).toBe(5)
  expect(await client.submit(named, [5]).result()).toBe(6)
  expect(await client.submit(async () => (await import('node:os')).hostname()).result()).toBe(hostname())
})

test('a function that uses something from outside is refused, and one that hides it fails with the same words', async () => {
  const { client } = shared()
  const offset = Math.random()
  expect(() => client.submit((x: number) => x + offset, [1])).toThrow(
    'it uses "offset", which is defined outside of it',
  )
  // Named as a global may be that a tool defines.
  const _offset = Math.random()
  const hidden = client.submit((name: string): unknown => (typeof _offset === 'string' ? name : _offset), ['x'])
  await expect(hidden.result()).rejects.toThrow(
    'Cannot run "anonymous" on a worker: it uses "_offset", which is defined outside of it; pass it as an argument, or by the option scope: { _offset }',
  )
})

test('a function exported from a module file runs', async () => {
  const { client, cluster } = shared()
  const file = cluster.path('shapes.mjs')
  cluster.expectFile('shapes.mjs')
  await writeFile(
    file,
    'import { hypot } from "node:process"; export const area = (a, b) => a * b'.replace(/^.*?; /, ''),
  )
  type Area = (a: number, b: number) => number
  expect(await client.submit(exported<Area>(pathToFileURL(file), 'area'), [3, 4]).result()).toBe(12)
  await expect(client.submit(exported<Area>(file, 'volume'), [3, 4]).result()).rejects.toThrow('it exports area')
  await expect(client.submit(exported<Area>('/no/such.mjs'), [3, 4]).result()).rejects.toThrow(
    'Cannot import "/no/such.mjs" on this worker',
  )
  expect(() => exported('./shapes.mjs')).toThrow('write new URL("./shapes.mjs", import.meta.url)')
})

/** Ends when a file is there. */
const untilThere = py<string>`
    def until_there(path):
        import os, time
        while not os.path.exists(path):
            time.sleep(0.02)
        return "slow"
`

test('map, gather, asCompleted and progress', async () => {
  const { client, cluster } = shared()
  for (const name of ['order', 'step-*']) cluster.expectFile(name)
  const squares = client.map((x: number) => x * x, [1, 2, 3], { key: 'square' })
  expect(squares.map(({ key }) => key)).toEqual(['square-0', 'square-1', 'square-2'])
  expect(await client.gather(squares)).toEqual([1, 4, 9])
  const text = client.submit(() => 'text')
  const number = client.submit(() => 1)
  expectTypeOf(await client.gather([text, number])).toEqualTypeOf<[string, number]>()
  const slow = client.submit(untilThere, [cluster.path('order')])
  const order = []
  for await (const future of client.asCompleted([slow, text])) {
    order.push(future)
    await writeFile(cluster.path('order'), '')
  }
  expect(order).toEqual([text, slow])
  const steps = []
  const waiting = client.map(
    untilThere,
    [1, 2, 3].map((n) => cluster.path(`step-${n}`)),
  )
  for await (const step of client.progress(waiting)) {
    steps.push(step)
    await writeFile(cluster.path(`step-${steps.length}`), '')
  }
  expect(steps).toEqual([0, 1, 2, 3].map((finished) => ({ total: 3, finished, failed: 0, pending: 3 - finished })))
})

test('a result that is there comes at once, also when one that is not was asked for with it', async () => {
  const { client, cluster } = shared()
  cluster.expectFile('enough')
  const slow = client.submit(untilThere, [cluster.path('enough')], { workers: [1] }).result()
  const fast = client.submit(py<string>`lambda: "fast"`, [], { workers: [2] }).result({ timeout: '4m' })
  expect(await Promise.race([slow, fast])).toBe('fast')
  await writeFile(cluster.path('enough'), '')
  expect(await slow).toBe('slow')
})

test('scatter places a value for both languages, on the worker that is named', async () => {
  const { client } = shared()
  const array = new Float64Array(10_000).fill(2)
  const future = await client.scatter(array, { workers: [3] })
  expect(await client.submit(py<number>`lambda a: sum(a)`, [future]).result()).toBe(20_000)
  expect(await client.submit((a: Float64Array) => a.length, [future]).result()).toBe(10_000)
  expect(await future.result()).toEqual(array)
  const map = new Map([[undefined, 1n]])
  expect(await (await client.scatter(map, { broadcast: true })).result()).toEqual(map)
  await expect(client.scatter(1, { workers: [77] })).rejects.toThrow('there is no worker 77')
  await expect(client.scatter([future])).rejects.toThrow('Cannot place a future on the workers')
})

test('a value that is broadcast is on all workers, however it goes there', async () => {
  await using direct = await shared().connect({ directToWorkers: true })
  const held = py<boolean>`lambda key: key in __import__("distributed").get_worker().data`
  for (const client of [shared().client, direct]) {
    const look = async (): Promise<boolean[]> => {
      const future = await client.scatter([1], { broadcast: true })
      const where = [1, 2, 3].map((name) => client.submit(held, [future.key], { workers: [name] }))
      return await client.gather(where)
    }
    // Each 2 s Dask's memory manager takes away the copies that no task waits for.
    await until(look, (there) => there.every(Boolean), { what: 'all have it', say: (there) => there.join(' ') })
  }
})

test('a cancelled future says so, and a released one', async () => {
  const { client } = shared()
  const future = client.submit(py`lambda: __import__("time").sleep(3)`)
  future.cancel()
  await expect(future.result()).rejects.toMatchObject({ kind: 'cancelled', code: 'ERR_TASK_CANCELLED' })
  expect(future.status).toBe('cancelled')
  const released = client.submit(py`lambda: 1`)
  await released.result()
  released.release()
  await expect(released.result()).rejects.toThrow('its future was released')
  expect(() => client.submit(py`print`, [released])).toThrow('Cannot pass a future that was released')
})

test('a task that needs one which could not be submitted, or was cancelled, fails as that one', async () => {
  const { client } = shared()
  const refused = client.submit(() => 1, [], { workers: [99] })
  const add = (x: number): number => x + 1
  const next = client.submit(add, [refused])
  const afterThat = client.submit(py<number>`lambda x: x`, [next])
  for (const future of [next, afterThat])
    await expect(future.result()).rejects.toMatchObject({
      kind: 'submission',
      message: expect.stringContaining(`Cannot submit "${future.key}": there is no worker 99; the`) as string,
    })
  const good = client.submit(() => 1)
  const some = client.map(add, [refused, good, refused, 5])
  const outcomes = await Promise.all(some.map(async (future) => (await future.exception())?.message))
  const text = expect.stringContaining('there is no worker 99') as string
  expect(outcomes).toEqual([text, undefined, text, undefined])
  expect(await some[3]?.result()).toBe(6)
  const cancelled = [client.submit(py<number>`lambda: __import__("time").sleep(1)`), good]
  for (const future of cancelled) {
    future.cancel()
    // At once, and when the cluster knows.
    for (let time = 0; time < 2; time++) {
      await Promise.resolve()
      const dependent = client.submit(add, [future])
      await expect(dependent.result({ timeout: '4m' })).rejects.toMatchObject({ kind: 'cancelled' })
    }
  }
})

test('options: retries, resources, priority, pure', async () => {
  const { client, cluster } = shared()
  const flaky = py<string>`
    def flaky(path):
        import os
        with open(path, "a") as file:
            file.write("x")
        if os.path.getsize(path) < 3:
            raise ValueError("not yet")
        return "third time"
  `
  cluster.expectFile('tries*')
  expect(await client.submit(flaky, [cluster.path('tries')], { retries: 2 }).result()).toBe('third time')
  await expect(client.submit(flaky, [cluster.path('tries2')], { retries: 1 }).result()).rejects.toThrow('not yet')
  expect(await client.submit(() => 1, [], { resources: { GPU: 1 }, priority: 5 }).result()).toBe(1)
  const random = (): number => Math.random()
  const pure = [client.submit(random, [], { pure: true }), client.submit(random, [], { pure: true })] as const
  const [a, b] = await client.gather(pure)
  expect(a).toBe(b)
  expect(await client.submit(random).result()).not.toBe(await client.submit(random).result())
  expect(() => client.submit(random, [], { retries: -1 })).toThrow(RangeError)
})

test('waits end at their deadline and at their signal, and say for what they waited', async () => {
  const { client } = shared()
  const slow = client.submit(py`lambda: __import__("time").sleep(3)`)
  await expect(slow.result({ timeout: 50 })).rejects.toMatchObject({
    code: 'ERR_TIMED_OUT',
    message: `Cannot give the result of "${slow.key}": it is pending after 50 ms`,
  })
  await expect(slow.result({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  await expect(client.waitForWorkers(99, { timeout: 50 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
  await expect(client.waitForWorkers(0)).rejects.toThrow(RangeError)
  slow.cancel()
})

test('schedulerInfo tells the workers', async () => {
  const { client } = shared()
  const info = await client.schedulerInfo()
  expect(info.address).toBe(client.schedulerAddress)
  expect(Object.values(info.workers).map(({ name, nthreads }) => [name, nthreads])).toEqual(
    expect.arrayContaining([1, 2, 3].map((name) => [name, 1])),
  )
})

test('a second client of the same cluster has its own futures', async () => {
  const { client, connect } = { client: shared().client, connect: () => shared().connect() }
  const other = await connect()
  const future = client.submit(() => 1)
  expect(() => other.submit((x: number) => x, [future])).toThrow('or is of another client')
  expect(await other.submit((x: number) => x + 1, [1]).result()).toBe(2)
  const pending = other.submit(py`lambda: __import__("time").sleep(1)`)
  const result = pending.result()
  await Promise.all([other.close(), expect(result).rejects.toThrow('Cannot use the client: it is closed')])
  await other.close()
  expect(pending.status).toBe('lost')
  expect(() => other.submit(() => 1)).toThrow('it is closed')
  await expect(other.scatter(1)).rejects.toThrow('it is closed')
  for await (const future of other.asCompleted([pending])) expect(future).toBe(pending)
  expect(await client.submit((x: number) => x + 1, [future]).result()).toBe(2)
})

test('a target that is none is named', async () => {
  const { connect } = { connect: () => import('../../src/client/client.ts') }
  const { Client } = await connect()
  await expect(Client.connect({ schedulerFile: '/no/such.json' })).rejects.toThrow(
    'Cannot connect by the scheduler file "/no/such.json": there is no such file',
  )
  await expect(Client.connect('/path/s.json')).rejects.toThrow("or { schedulerFile: '/path/s.json' }")
  await expect(Client.connect(undefined, { env: {} })).rejects.toThrow('DASK_SCHEDULER_ADDRESS is not set')
  await expect(shared().connect({ timeout: '1s', signal: AbortSignal.abort(new Error('no more')) })).rejects.toThrow(
    'no more',
  )
})
