import { expect, test } from 'vitest'
import { py } from '../../src/client/callable.ts'
import type { Future } from '../../src/client/future.ts'
import { ClientCluster } from '../support/client.ts'
import { patient, until } from '../support/until.ts'

const retries = 20
/** Without the scheduler's queue small tasks do not wait for the way from worker to scheduler and back. */
const eager = { DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION: 'inf' }

/** Sums the numbers below `count` by a tree of tasks, in JavaScript and in Python by turns. */
function submitTree({ client }: ClientCluster, count: number): { all: Future<number>[]; root: Future<number> } {
  const load = py<number>`
    def load(x):
        import time
        time.sleep(0.005)
        return x
  `
  const addInPython = py<number>`lambda a, b: a + b`
  const add = (a: number, b: number): number => a + b
  let level: Future<number>[] = client.map(
    load,
    Array.from({ length: count }, (_, i) => i),
    { retries },
  )
  const all = [...level]
  for (let depth = 0; level.length > 1; depth++) {
    const pairs = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => level.slice(2 * i, 2 * i + 2))
    level = pairs.map(([a, b]) => {
      if (a === undefined || b === undefined) return a as Future<number>
      const sum = client.submit(depth % 2 === 0 ? add : addInPython, [a, b], { retries })
      all.push(sum)
      return sum
    })
  }
  return { all, root: level[0] as Future<number> }
}

test('1,000 tasks that depend on each other, in two languages, give the right result', async () => {
  await using shared = await ClientCluster.startWith(eager, 3)
  const { all, root } = submitTree(shared, 512)
  expect(all).toHaveLength(1023)
  expect(await root.result({ timeout: patient })).toBe((511 * 512) / 2)
  await shared.end()
})

test('so do 500 of them while workers and Node processes are killed', async () => {
  await using shared = await ClientCluster.start(3, '--nanny')
  const { client, cluster } = shared
  const where = py<number>`lambda: __import__("os").getpid()`
  const workers = await client.gather([1, 2].map((name) => client.submit(where, [], { workers: [name] })))
  const nodeProcess = await client.submit(() => process.pid, [], { workers: [3] }).result()
  const { all, root } = submitTree(shared, 256)
  for (const [i, victim] of [...workers, nodeProcess].entries()) {
    const done = (i + 1) * 50
    await until(
      () => all.filter(({ status }) => status === 'finished').length,
      (finished) => finished >= done,
      { what: `${done} tasks are done`, say: String },
    )
    process.kill(victim, 'SIGKILL')
  }
  expect(await root.result({ timeout: patient })).toBe((255 * 256) / 2)
  const left = cluster.processes()
  for (const victim of [...workers, nodeProcess]) expect(left).not.toContain(victim)
  await shared.end()
})

/** What the scheduler counts. */
async function counts({ client }: ClientCluster): Promise<{ tasks: number; bytes: number }> {
  const { services } = await client.schedulerInfo()
  const { dashboard } = services as { dashboard: number }
  const answer = await fetch(`http://127.0.0.1:${dashboard}/json/counts.json`)
  const { tasks, bytes } = (await answer.json()) as { tasks: number; bytes: number }
  return { tasks, bytes }
}

test('4,000 tasks whose futures were dropped leave no memory behind on the cluster', async () => {
  await using shared = await ClientCluster.startWith(eager, 2)
  const { client } = shared
  const numbers = Array.from({ length: 1000 }, (_, i) => i)
  const before = await counts(shared)
  // A function of its own, so that nothing here keeps a future.
  const submitAndDrop = async (): Promise<void> => {
    for (let round = 0; round < 4; round++) {
      const futures =
        round % 2 === 0
          ? client.map(py`lambda x: bytes(10_000)`, numbers)
          : client.map((x: number) => new Map([[x, 'x'.repeat(1000)]]), numbers)
      // Some are dropped before anybody has looked at them.
      if (round >= 2) await client.gather(futures)
    }
  }
  await submitAndDrop()
  expect((await counts(shared)).tasks).toBeGreaterThan(0)
  const { gc } = globalThis
  expect(gc, 'vitest.config.ts lets tests collect garbage').toBeDefined()
  await until(
    async () => {
      gc?.()
      return await counts(shared)
    },
    ({ tasks, bytes }) => tasks === before.tasks && bytes === before.bytes,
    { what: 'the scheduler knows no task any more', say: JSON.stringify, interval: 200 },
  )
  const held = py<number>`lambda: len(__import__("distributed").get_worker().data)`
  for (const name of [1, 2])
    await until(
      async () => await client.submit(held, [], { workers: [name] }).result(),
      // That of the question before.
      (results) => results <= 1,
      { what: `worker ${name} holds no result any more`, say: String },
    )
  await shared.end()
})
