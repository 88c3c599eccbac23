import { copyFile, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { py } from '../../src/client/callable.ts'
import { sharedClient } from '../support/client.ts'
import { until } from '../support/until.ts'

const shared = sharedClient(2)
const processId = py<number>`lambda: __import__("os").getpid()`

test('a running JavaScript function that is cancelled is ended, and its thread runs the next one', async () => {
  const { client, cluster } = shared()
  const workers = [1]
  const idle = await client.submit(() => process.pid, [], { workers }).result()
  const spin = async (file: string): Promise<never> => {
    const { writeFileSync } = await import('node:fs')
    writeFileSync(file, '')
    for (;;);
  }
  cluster.expectFile('spins*')
  for (const name of ['spins', 'spins2']) {
    const spinning = client.submit(spin, [cluster.path(name)], { workers })
    const waiting = client.submit((x: number) => x, [spinning], { workers })
    const started = py<null>`
      def started(path):
          import os, time
          while not os.path.exists(path):
              time.sleep(0.02)
    `
    await client.submit(started, [cluster.path(name)], { workers: [2] }).result()
    spinning.cancel()
    for (const one of [spinning, waiting])
      await expect(one.result({ timeout: '4m' })).rejects.toMatchObject({ kind: 'cancelled' })
    const next = client.submit(() => process.pid, [], { workers })
    expect(await next.result({ timeout: '4m' })).not.toBe(idle)
  }
})

test('a result that is cancelled, or cancelled again, is cancelled for whoever asks for it', async () => {
  const { client } = shared()
  const [first, second] = client.map((x: number) => x, [1, 2])
  const needing = client.submit((x: number) => x, [first ?? 0])
  expect(await client.gather([needing, client.submit((x: number) => x, [second ?? 0])])).toEqual([1, 2])
  first?.cancel()
  first?.cancel()
  await expect(first?.result({ timeout: '4m' })).rejects.toMatchObject({ kind: 'cancelled' })
  expect(first?.status).toBe('cancelled')
  // What is computed already and needed it is cancelled a moment later.
  const known = async (): Promise<string[]> =>
    await client.runOnScheduler(py<string[]>`lambda dask_scheduler: [str(key) for key in dask_scheduler.tasks]`)
  await until(known, (keys) => !keys.includes(needing.key), { what: 'it is forgotten', say: String })
  await expect(needing.result({ timeout: '4m' })).rejects.toMatchObject({ kind: 'cancelled' })
  expect(await second?.result()).toBe(2)
})

test('each client has its own Node, on the same workers', async () => {
  const { client, cluster } = shared()
  const node = cluster.path('other-node')
  cluster.expectFile('other-node')
  await copyFile(process.execPath, node)
  await using other = await shared().connect({ node })
  const path = (): string => process.execPath
  for (const [one, expected] of [
    [client, process.execPath],
    [other, node],
    [client, process.execPath],
  ] as const) {
    const map = one.submit(() => new Map([[1, process.execPath]]), [], { workers: [1] })
    expect(await one.submit(path, [], { workers: [1] }).result()).toBe(expected)
    // Python has a JavaScript value translated by that Node, too.
    expect(await one.submit(py<string>`lambda m: m[1]`, [map], { workers: [1] }).result()).toBe(expected)
  }
})

test.skipIf(globalThis.gc === undefined)(
  'functions that are dropped, with the values in them, are freed in every process',
  async () => {
    const { client, cluster } = shared()
    const workers = [1]
    const pids = [
      await shared().helper(),
      await client.submit(processId, [], { workers }).result(),
      await cluster.expectProcess('dask-hpc-runner scheduler'),
    ]
    /** Of the helper, the worker, the scheduler and this process, in megabytes. */
    const memory = async (): Promise<number[]> => {
      const rss = async (pid: number): Promise<number> =>
        Number(/VmRSS:\s*(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1e3
      const { heapUsed, external } = process.memoryUsage()
      return [...(await Promise.all(pids.map(rss))), (heapUsed + external) / 1e6]
    }
    /** Calls so many functions, of which each has 2 MB in it and is dropped. */
    const callDropped = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const array = new Float64Array(250_000).fill(i)
        const sum = client.submit(py<number>`lambda: float(sum(${array}[:10]))`, [], { workers })
        expect(await sum.result()).toBe(10 * i)
        sum.release()
        if (i % 10 === 0) await collected()
      }
      await collected()
    }
    // Memory that was used once is taken again; what the allocators keep of it shows in the first rounds.
    await callDropped(20)
    const before = await memory()
    await callDropped(60)
    const more = (await memory()).map((megabytes, i) => megabytes - (before[i] ?? 0))
    // Of the 120 MB.
    for (const megabytes of more) expect(megabytes, more.join(' ')).toBeLessThan(40)
  },
)

/** Finalizers run after what runs now. */
async function collected(): Promise<void> {
  globalThis.gc?.()
  await new Promise((resolve) => setImmediate(resolve))
}

test('a task of one worker, whose result is lost with it, is computed again on the worker of its name', async () => {
  const { client } = shared()
  const pinned = client.submit(processId, [], { workers: [2] })
  const first = await pinned.result()
  process.kill(first, 'SIGKILL')
  await until(
    async () => Object.values((await client.schedulerInfo()).workers).map(({ name }) => name),
    (names) => !names.includes(2),
    { what: 'the scheduler has noticed', say: (names) => names.join(' ') },
  )
  // Its name is known, its new address is not yet.
  const later = client.submit(processId, [], { workers: [2] })
  const second = await pinned.result({ timeout: '4m' })
  expect(second).not.toBe(first)
  expect(await later.result({ timeout: '4m' })).toBe(second)
})
