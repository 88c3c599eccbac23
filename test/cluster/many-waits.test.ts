import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { waitForCluster } from '../../src/commands/wait.ts'
import { SchedulerClient } from '../../src/dask/scheduler-client.ts'
import { Cluster, programs } from '../support/cluster.ts'
import { CountingProxy } from '../support/counting-proxy.ts'
import { startDaskScheduler } from '../support/dask.ts'
import { patient } from '../support/until.ts'

const waiters = 64
const workers = 3
/** Over this time the questions are counted. In milliseconds. */
const period = 3_000

test(`${waiters} that wait for a plain Dask's workers each ask once a second, and write nothing there`, async () => {
  await using cluster = await Cluster.make()
  const file = cluster.path('scheduler.json')
  const scheduler = await startDaskScheduler(cluster, file)
  const { address } = JSON.parse(await readFile(file, 'utf8')) as { address: string }
  using proxy = await CountingProxy.before(address)
  const heard = new Array<string>(waiters).fill('')
  const waiting = heard.map(async (_, i) => {
    const onProgress = (text: string): void => {
      heard[i] = text
    }
    const { signal } = new AbortController()
    return await waitForCluster({ target: { address: proxy.address }, workers, timeout: patient, signal, onProgress })
  })
  /** How often they ask in a second, all together. */
  const rate = async (): Promise<number> => {
    const [before, began] = [proxy.asked.length, performance.now()]
    await new Promise((resolve) => setTimeout(resolve, period))
    return ((proxy.asked.length - before) * 1_000) / (performance.now() - began)
  }
  await expect
    .poll(() => proxy.asked.filter((op) => op === 'ncores_running').length, { timeout: patient })
    .toBeGreaterThanOrEqual(waiters)
  expect(await rate(), proxy.say()).toBeLessThan(waiters * 1.5)

  // Each finds the scheduler again, where a network has cut its connection.
  const before = proxy.asked.length
  proxy.reset()
  await expect.poll(() => proxy.asked.length - before, { timeout: patient }).toBeGreaterThan(waiters)

  const started = cluster.start(['python3', join(programs, 'workers_in_one.py'), file, String(workers)])
  for (const { running } of await Promise.all(waiting)) expect(running, started.output).toBe(workers)
  expect(heard).toEqual(heard.map(() => `${workers} of ${workers} workers run at ${proxy.address}`))
  expect(new Set(proxy.asked)).toEqual(new Set(['identity', 'ncores_running']))
  using client = await SchedulerClient.connect(address)
  await client.terminate()
  await scheduler.expectStatus(0)
  await started.ended
  cluster.expectFile('dask-*-space')
  await cluster.expectNothingLeft()
})
