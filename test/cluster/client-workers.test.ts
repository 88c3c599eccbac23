import { copyFile } from 'node:fs/promises'
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
      await expect(one.result({ timeout: '30s' })).rejects.toMatchObject({ kind: 'cancelled' })
    const next = client.submit(() => process.pid, [], { workers })
    expect(await next.result({ timeout: '30s' })).not.toBe(idle)
  }
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
  const second = await pinned.result({ timeout: '60s' })
  expect(second).not.toBe(first)
  expect(await later.result({ timeout: '60s' })).toBe(second)
})
