import { expect, test } from 'vitest'
import { AsCompleted } from '../../src/client/as-completed.ts'
import { py, withClient } from '../../src/client/callable.ts'
import { Client } from '../../src/client/client.ts'
import { ClusterCalls } from '../../src/client/cluster-calls.ts'
import { Future, unheldResult } from '../../src/client/future.ts'
import { sharedClient } from '../support/client.ts'

const shared = sharedClient(1)

interface Given {
  readonly client: Client
  readonly closed: Client
  readonly failing: Future<unknown>
  readonly pending: Future<unknown>
}

const items = async function* (...values: unknown[]): AsyncGenerator {
  for (const value of values) yield await Promise.resolve(value)
}
const ignore = (one: unknown): unknown => one
const same = (x: unknown): unknown => x
const soon = { timeout: 10 }

/** Each call fails; none is awaited where it is written, so that its line is in the stack only if somebody has kept it. */
const calls: Readonly<Record<string, (given: Given) => Promise<unknown>>> = {
  'Client.connect': () => Client.connect({ schedulerFile: '/no/such.json' }),
  'Client.connect, an address that is none': () => Client.connect('nowhere'),
  'Client.map': async ({ closed }) => {
    for await (const one of closed.map(same, items(1))) ignore(one)
  },
  'Client.map, an item that cannot be sent': async ({ client }) => {
    for await (const one of client.map(same, items(Symbol('item')))) ignore(one)
  },
  'Client.gather': ({ client, failing }) => client.gather([failing]),
  'Client.gather, in time': ({ client, pending }) => client.gather([pending], soon),
  'Client.gatherSettled': ({ client, failing }) => reasonOf(client.gatherSettled([failing])),
  'Client.gatherSettled, in time': ({ client, pending }) => client.gatherSettled([pending], soon),
  'Client.scatter': ({ closed }) => closed.scatter(1),
  'Client.asCompleted': async ({ client, failing }) => {
    for await (const one of client.asCompleted([failing], { withResults: true })) ignore(one)
  },
  'Client.asCompleted, an error as a value': async ({ client, failing }) => {
    for await (const [, error] of client.asCompleted([failing], { withResults: true, raiseErrors: false })) throw error
  },
  'Client.progress': async ({ client, pending }) => {
    for await (const one of client.progress([pending], soon)) ignore(one)
  },
  'Client.drained': ({ client }) => client.drained({ timeout: 'soon' as never }),
  'ClusterCalls.waitForWorkers': ({ client }) => client.waitForWorkers(99, soon),
  'ClusterCalls.schedulerInfo': ({ closed }) => closed.schedulerInfo(),
  'ClusterCalls.run': ({ client }) => client.run(py`lambda: 1 / 0`),
  'ClusterCalls.run, an error as a value': async ({ client }) => {
    throw Object.values(await client.run(py`lambda: 1 / 0`, [], { onError: 'return' }))[0]
  },
  'ClusterCalls.run, an argument that cannot be sent': ({ client }) => client.run(same, [Symbol('argument')]),
  'ClusterCalls.runOnScheduler': ({ client }) => client.runOnScheduler(py`lambda: 1 / 0`),
  'ClusterCalls.nthreads': ({ client }) => client.nthreads({ workers: ['none'] }),
  'ClusterCalls.whoHas': ({ closed }) => closed.whoHas(),
  'ClusterCalls.getVersions': ({ closed }) => closed.getVersions(),
  'ClusterCalls.getSchedulerLogs': ({ closed }) => closed.getSchedulerLogs(),
  'ClusterCalls.getWorkerLogs': ({ closed }) => closed.getWorkerLogs(),
  'ClusterCalls.rebalance': ({ closed }) => closed.rebalance(),
  'ClusterCalls.retireWorkers': ({ client }) => client.retireWorkers({ workers: ['none'] }),
  'ClusterCalls.publishDataset': ({ closed }) => closed.publishDataset('numbers', []),
  'ClusterCalls.getDataset': ({ client }) => client.getDataset('none'),
  'ClusterCalls.listDatasets': ({ closed }) => closed.listDatasets(),
  'ClusterCalls.unpublishDataset': ({ client }) => client.unpublishDataset('none'),
  'ClusterCalls.restart': ({ client }) => client.restart(),
  'Future.result': ({ failing }) => failing.result(),
  'Future.result, in time': ({ pending }) => pending.result(soon),
  'Future.result, on no such worker': ({ client }) => client.submit(same, [1], { workers: [99] }).result(),
  'Future.exception': ({ failing }) => errorOf(failing.exception()),
  'Future.exception, in time': ({ pending }) => pending.exception(soon),
  'AsCompleted.next': ({ client, pending }) => client.asCompleted([pending], soon).next(),
}

/** What does not fail, or throws at once. */
const others = {
  Client: ['submit', 'fireAndForget', 'close', String(Symbol.asyncDispose)],
  ClusterCalls: [],
  Future: ['cancel', 'release', String(unheldResult)],
  AsCompleted: ['add', 'update', String(Symbol.asyncIterator)],
}

test('every method of the library is known here', () => {
  for (const [name, owner] of Object.entries({ Client, ClusterCalls, Future, AsCompleted })) {
    const methods = [owner, owner.prototype].flatMap((holder) =>
      Reflect.ownKeys(holder).filter(
        (key) => key !== 'constructor' && typeof Object.getOwnPropertyDescriptor(holder, key)?.value === 'function',
      ),
    )
    const known = Object.keys(calls).map((call) => /^(\w+)\.(\w+)/.exec(call) ?? [])
    const names = known.filter(([, of]) => of === name).map(([, , method]) => method)
    expect(new Set([...names, ...others[name as keyof typeof others]])).toEqual(new Set(methods.map(String)))
  }
})

test('the stack of an error begins, outside of the library, with the line of the call', async () => {
  const { client, connect } = { client: shared().client, connect: () => shared().connect() }
  const closed = await connect()
  await closed.close()
  const given = { client, closed, failing: client.submit(py`lambda: 1 / 0`), pending: client.submit(same, [1], never) }
  const stacks: Record<string, string> = {}
  for (const [name, call] of Object.entries(calls)) {
    const error = await errorOf(call(given).catch((error: unknown) => error)).catch((error: unknown) => error as Error)
    const [first, ...frames] = error.stack?.split('\n') ?? []
    expect(first).toBe(`${error.name}: ${error.message}`)
    const outside = frames.find((line) => !/\/src\/(client|util)\/|node:internal|<anonymous>/.test(line))
    stacks[name] = outside?.includes('client-stacks.test.ts') && outside.includes(name) ? name : (error.stack ?? '')
  }
  expect(stacks).toEqual(Object.fromEntries(Object.keys(calls).map((name) => [name, name])))
})

test('one failure gives each of its callers an error with a stack of its own', async () => {
  const { client } = shared()
  const failing = client.submit(py`lambda: 1 / 0`)
  const one = (): Promise<Error> => errorOf(failing.exception())
  const two = (): Promise<Error> => errorOf(reasonOf(client.gatherSettled([failing])).catch((error: unknown) => error))
  const [first, second] = await Promise.all([one(), two()])
  expect(first.stack).toMatch(/\n {4}at (Object\.)?one /)
  expect(second.stack).toMatch(/\n {4}at (Object\.)?two /)
  expect(second).toEqual(first)
  expect(second.cause).toBe(first.cause)
})

test('in a task that submits tasks it is the line of its function', async () => {
  const { client } = shared()
  const outer = withClient(async function outer(client) {
    const inner = client.submit(function inner() {
      throw new RangeError('inner')
    })
    const stackOf = async (wait: Promise<unknown>): Promise<string> =>
      await wait.then(
        () => 'no error',
        (error: unknown) => (error as Error).stack ?? '',
      )
    const stacks = [await stackOf(inner.result()), await stackOf(client.gather([inner]))]
    return [...stacks, await inner.result()]
  })
  const error = await errorOf(client.submit(outer).exception())
  expect((error.cause as Error).stack).toMatch(
    /^TaskError: Cannot compute "inner-.*": RangeError: inner\n {4}at .*outer /,
  )
  expect((error.cause as Error).stack).not.toMatch(/node:internal|eval/)
})

const never = { resources: { none: 1 } }

async function errorOf(wait: Promise<unknown>): Promise<Error> {
  const error = await wait
  if (error instanceof Error) return error
  throw new Error('There is no error')
}

async function reasonOf(settled: Promise<readonly PromiseSettledResult<unknown>[]>): Promise<never> {
  const [one] = await settled
  throw one?.status === 'rejected' ? one.reason : new Error('There is no error')
}
