import { runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import { py, withClient } from '../../src/client/callable.ts'
import { NDArray } from '../../src/client/values/nd-array.ts'
import { sharedClient } from '../support/client.ts'
import { python } from '../support/cluster.ts'
import { debian13Python } from '../support/debian13.ts'

const shared = sharedClient(2)
const noNumpy = process.env.DASK_HPC_RUNNER_TEST_NO_NUMPY !== undefined
const newer = debian13Python()

test.skipIf(noNumpy)(
  'an NDArray is one in a JavaScript function, which may make one, and in Python after it',
  async () => {
    const { client } = shared()
    const array = new NDArray(new Float64Array([1, 2, 3, 4, 5, 6]), [2, 3])
    const double = ({ array }: { array: NDArray<Float64Array> }): object => ({
      same: array,
      // The name is there; in this file it is an import, which the test runner renames.
      made: new (array.constructor as typeof NDArray)(
        array.data.map((x) => 2 * x),
        [3, 2],
      ),
      named: (globalThis as unknown as { NDArray: unknown }).NDArray === array.constructor,
    })
    const doubled = client.submit(double, [{ array }])
    const back = (await doubled.result()) as { same: NDArray; made: NDArray; named: boolean }
    expect(back.same).toBeInstanceOf(NDArray)
    expect(back).toEqual({
      same: array,
      made: new NDArray(
        array.data.map((x) => 2 * x),
        [3, 2],
      ),
      named: true,
    })
    const shapes = py<string>`lambda o: f"{type(o['made']).__name__} {o['made'].shape} {o['same'][1, 0] + o['made'][1, 1]}"`
    expect(await client.submit(shapes, [doubled]).result()).toBe('ndarray (3, 2) 12.0')
    const scattered = await client.scatter({ array })
    expect(await client.submit((o: { array: NDArray }) => o.array.shape, [scattered]).result()).toEqual([2, 3])
  },
)

test.skipIf(noNumpy)(
  'NumPy arrays that JavaScript has otherwise become what it has; for others there is advice',
  async () => {
    const { client } = shared()
    const arrays = py`
    def arrays():
        import numpy
        return {
            "bool": numpy.array([[True, False], [False, True]])[:, :1],
            "float16": numpy.array([0.5, 65504], "f2"),
            "times": numpy.array([["2020-01-02", "NaT"]], "M8[D]"),
            "time": numpy.datetime64("1969-12-31T23:59:59.5", "ns"),
            "scalars": [numpy.bool_(True), numpy.float16(0.5), numpy.datetime64("NaT")],
        }
  `
    const expected = {
      bool: new NDArray(new Uint8Array([1, 0]), [2, 1]),
      float16: new Float32Array([0.5, 65504]),
      times: [[new Date('2020-01-02T00:00:00Z'), null]],
      time: new Date(-500),
      scalars: [true, 0.5, null],
    }
    const made = client.submit(arrays)
    expect(await made.result()).toEqual(expected)
    expect(await client.submit((x: unknown) => x, [made]).result()).toEqual(expected)
    for (const [text, advice] of [
      [
        py`lambda: __import__("numpy").ones(2, "c16")`,
        'a NumPy array of complex128, which has no form in TypeScript; make pairs',
      ],
      [
        py`lambda: [__import__("numpy").ones(2, "m8[s]")]`,
        'value[0] is a NumPy array of timedelta64[s], which has no form',
      ],
    ] as const)
      await expect(client.submit(text).result()).rejects.toThrow(advice)
  },
)

test('values of which nothing would be left, and Python lists that are within themselves, are named', async () => {
  const { client } = shared()
  await expect(client.submit(() => ({ url: new URL('http://a') })).result()).rejects.toThrow(
    'Cannot send the result.url: it is an instance of URL; a structured clone would make {} of it',
  )
  const circle = py`
    def circle():
        inner = {}
        outer = [1, inner]
        inner["outer"] = outer
        return [outer]
  `
  await expect(client.submit(circle).result()).rejects.toThrow(
    "value[0][1]['outer'] is a list that is within itself, which has no form in TypeScript",
  )
  for (const [text, why] of [
    ['a = []; a.append(a)', 'value[0] is a list that is within itself'],
    ['a = {}; a["me"] = a', "value['me'] is a dict that is within itself"],
    [
      `${noNumpy ? 'one = range(3)' : 'import numpy; one = numpy.ones(3)'}; a = [one]; a.append((a,))`,
      'value[1][0] is a list that is within itself',
    ],
    ['a = []; [a := [a] for _ in range(2000)]', 'value[0][0][0][0][0] is a value nested more than 700 levels deep'],
  ] as const) {
    const made = py`
      def make(text):
          names = {}
          exec(text, names)
          return names["a"]
    `
    const message = `Cannot keep the result: ${why}, which Dask cannot send; return another form of it`
    const future = client.submit(made, [text])
    const error = await future.exception()
    expect(error).toMatchObject({ kind: 'value' })
    expect(error?.message).toContain(message)
    await expect(client.submit((x: unknown) => x, [future]).result({ timeout: '4m' })).rejects.toThrow(message)
    await expect(client.runOnScheduler(made, [text], { timeout: '4m' })).rejects.toThrow(message)
  }
  // What Dask can send is left as it is.
  const within = py`
    def within():
        a = [1]
        a.append(a)
        return a
  `
  expect(await client.submit(py`lambda a: a[1] is a`, [client.submit(within)]).result()).toBe(true)
  const deep = py`lambda: eval("[" * 90 + "]" * 90) and __import__("functools").reduce(lambda x, _: [x], range(250), 1)`
  await expect(client.submit(deep).result()).rejects.toThrow('is a value nested more than 200 levels deep')
})

test('what is no future, no array of arguments, or cannot be run so is named', async () => {
  const { client } = shared()
  const none = 'Cannot use 1 as a future: it is none'
  const wrong = [1] as never
  await expect(client.gather({} as never)).rejects.toThrow('Cannot gather {}: it has to be an array of futures')
  await expect(client.gather(wrong)).rejects.toThrow(none)
  await expect(client.gatherSettled([undefined] as never)).rejects.toThrow(
    'Cannot use undefined as a future: it is none',
  )
  expect(() => client.asCompleted(wrong)).toThrow(none)
  expect(() => client.asCompleted({} as never)).toThrow(
    'Cannot use {} as futures: it has to be an array of them, or iterable otherwise',
  )
  expect(() => client.progress(wrong)).toThrow(none)
  expect(() => {
    client.fireAndForget(5 as never)
  }).toThrow('Cannot use 5 as futures')
  await expect(client.publishDataset('x', 5 as never)).rejects.toThrow('Cannot use 5 as futures')
  await expect(client.run((x: number) => x, 5 as never)).rejects.toThrow(
    'Cannot use arguments 5: they have to be an array',
  )
  await expect(client.run(withClient(async (client) => await client.submit(() => 1).result()))).rejects.toThrow(
    'on the workers: a function that gets a client is called by a task only; submit it',
  )
  await expect(client.retireWorkers({} as never)).rejects.toThrow(
    'Cannot retire workers: say which ones by the option workers',
  )
  await expect(client.unpublishDataset('nope')).rejects.toThrow(
    'Cannot unpublish the dataset "nope": there is no dataset of that name',
  )
})

test('options that are none, or unknown, are refused by every call, and keep nothing from being asked again', async () => {
  const { client } = shared()
  const future = client.submit(() => 1)
  const calls: readonly ((options: never) => unknown)[] = [
    (options) => client.submit(() => 1, [], options),
    (options) => client.map((x) => x, [1], options),
    (options) => client.gather([future], options),
    (options) => client.gatherSettled([future], options),
    (options) => client.asCompleted([future], options),
    (options) => client.progress([future], options),
    (options) => client.scatter(1, options),
    (options) => client.drained(options),
    (options) => client.waitForWorkers(1, options),
    (options) => client.schedulerInfo(options),
    (options) => client.run(() => 1, [], options),
    (options) => client.runOnScheduler(() => 1, [], options),
    (options) => client.nthreads(options),
    (options) => client.whoHas([future], options),
    (options) => client.getVersions(options),
    (options) => client.getSchedulerLogs(options),
    (options) => client.getWorkerLogs(options),
    (options) => client.rebalance([future], options),
    (options) => client.publishDataset('x', future, options),
    (options) => client.getDataset('x', options),
    (options) => client.listDatasets(options),
    (options) => client.unpublishDataset('x', options),
    (options) => client.restart(options),
    (options) => future.result(options),
    (options) => future.exception(options),
  ]
  const refused = async (call: (options: never) => unknown, options: unknown): Promise<string> => {
    try {
      await call(options as never)
    } catch (error) {
      return String(error)
    }
    return 'was not refused'
  }
  for (const call of calls) {
    expect(await refused(call, null), String(call)).toMatch(/^TypeError: Cannot use null as options: write an object/)
    expect(await refused(call, { tiemout: 1 }), String(call)).toMatch(/^TypeError: Cannot .*option tiemout.* options /)
    if (!/submit|map/.test(String(call)))
      expect(await refused(call, { signal: {} }), String(call)).toMatch(
        /^TypeError: Cannot use signal {}: it has to be an/,
      )
  }
  expect(await future.result()).toBe(1)
})

test('a global that is not what the module of a function imports is named where the function fails', async () => {
  const { client } = shared()
  const hash = runInThisContext('(text) => crypto.createHash("sha256").update(text).digest("hex")') as () => string
  const error = await client.submit(hash).exception()
  expect(error?.message).toMatch(
    /TypeError: crypto.createHash is not a function; on a worker "crypto" is Node's own global: if your module imports/,
  )
})

test.skipIf(newer === undefined || newer === python)(
  'a client whose Dask does not match that of the cluster fails, and names both',
  async () => {
    const connecting = shared().connect({ python: newer ?? '' })
    await expect(connecting).rejects.toThrow(
      /^Cannot connect to the scheduler at tcp:\S+: the cluster has Dask 2022\S+ and Python 3\.\S+, the client's Python \S+ has Dask 2024\S+ and Python 3\.\S+; name the Python of the cluster by the option python$/,
    )
    // It has done no harm.
    expect(
      await shared()
        .client.submit((x: number) => x, [1])
        .result(),
    ).toBe(1)
  },
)
