// What 10,000 functions that were dropped, each with a value of 10 KB in it, leave behind in every process, beside as many calls of
// one function: Dask's own log of tasks grows with both. That the numbers would show what is kept is seen by functions that are.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { type Future, py, type RemoteFunction } from '../src/index.ts'
import { ClientCluster } from '../test/support/client.ts'
import { memoryOf } from './support/memory.ts'

const count = 10_000
const kept = 5_000
const valueBytes = 10_000
const batch = 500

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** A function of its own, with a value of its own. */
function make(i: number): RemoteFunction<readonly unknown[], number> {
  const value = new Uint8Array(valueBytes)
  new DataView(value.buffer).setUint32(0, i)
  return py<number>`lambda: ${value}[3]`
}

test(`${count} py functions that were dropped leave nothing of their values behind`, async () => {
  await using shared = await ClientCluster.startWith({ DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION: 'inf' }, 2)
  const { client, cluster } = shared
  const processId = py<number>`lambda: __import__("os").getpid()`
  const workers = await client.gather([1, 2].map((name) => client.submit(processId, [], { workers: [name] })))
  const processes = {
    helper: [await shared.helper()],
    workers,
    scheduler: [await cluster.expectProcess('dask-hpc-runner scheduler')],
    'this process': [process.pid],
  }
  const memory = async (): Promise<number[]> => {
    collect()
    // Finalizers run after what runs now.
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    return await Promise.all(Object.values(processes).map(memoryOf))
  }
  let made = 0
  const call = async (what: string, number: number, functions: () => RemoteFunction<readonly unknown[], number>) => {
    const before = await memory()
    const started = performance.now()
    for (let called = 0; called < number; called += batch) {
      const futures: Future<number>[] = Array.from({ length: batch }, () => client.submit(functions()))
      await client.gather(futures)
      for (const future of futures) future.release()
      collect()
    }
    const seconds = (performance.now() - started) / 1000
    const more = (await memory()).map((bytes, i) => (bytes - (before[i] ?? 0)) / 1e6)
    process.stdout.write(
      `| ${what} | ${more.map((megabytes) => megabytes.toFixed(1)).join(' | ')} | ${seconds.toFixed(0)} |\n`,
    )
    return more
  }
  const one = make(-1)
  const same = () => one
  const other = () => make(made++)
  process.stdout.write(`| megabytes more after | ${Object.keys(processes).join(' | ')} | seconds |\n`)
  // What was used once is taken again.
  await call('1,000 calls of one function and', 1_000, same)
  await call('1,000 functions, to begin with', 1_000, other)
  const ofOne = await call(`${count} calls of one function`, count, same)
  const ofMany = await call(`${count} functions, each called once and dropped`, count, other)
  const holding: RemoteFunction[] = []
  const held = await call(`${kept} functions, which are kept here`, kept, () => {
    holding.push(other())
    return holding.at(-1) as RemoteFunction<readonly unknown[], number>
  })
  // Of the 100 MB that they had in them, and of the 50 MB of those that are kept.
  for (const [i, megabytes] of ofMany.entries()) expect(megabytes - (ofOne[i] ?? 0)).toBeLessThan(20)
  expect(held[0]).toBeGreaterThan(30)
  expect(holding).toHaveLength(kept)
  await shared.end()
})
