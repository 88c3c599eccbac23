import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { waitForCluster } from '../../src/commands/wait.ts'
import { SchedulerClient } from '../../src/dask/scheduler-client.ts'
import { Cluster, programs, type Started } from '../support/cluster.ts'
import { CountingProxy } from '../support/counting-proxy.ts'
import { startDaskScheduler } from '../support/dask.ts'
import { pythons } from '../support/pythons.ts'

const waiters = 64
const workers = 100
/** For so long nothing happens. In milliseconds. */
const period = 3_000
/** So many requests more than one each 100 ms there may have been, from the first one on. */
const more = 5

describe.for(pythons())('with %s', ([, command]) => {
  const python = command ?? ''

  test.skipIf(command === undefined)(
    `${waiters} that wait for a plain Dask's ${workers} workers cost its scheduler no more than one`,
    async () => {
      await using cluster = await Cluster.make()
      const file = cluster.path('scheduler.json')
      const scheduler = await startDaskScheduler(cluster, file, { python })
      const { address } = JSON.parse(await readFile(file, 'utf8')) as { address: string }
      using proxy = await CountingProxy.before(address)
      const heard = new Array<string>(waiters).fill('')
      const waiting = heard.map(async (_, i) => {
        const onProgress = (text: string): void => {
          heard[i] = text
        }
        const { signal } = new AbortController()
        const target = { address: proxy.address }
        return await waitForCluster({ target, workers, timeout: 100_000, signal, onProgress })
      })
      const inPeriod = async (): Promise<readonly string[]> => {
        const before = proxy.asked.length
        await new Promise((resolve) => setTimeout(resolve, period))
        return proxy.asked.slice(before)
      }
      const quiet = await inPeriod()
      expect(quiet.length, quiet.join()).toBeGreaterThan(5)

      // Whoever asks is cut off like the others: another one takes its place.
      proxy.reset()
      const again = await inPeriod()
      expect(again.length, again.join()).toBeGreaterThan(5)

      const started = startWorkers(cluster, python, file)
      for (const { running } of await Promise.all(waiting)) expect(running, started.output).toBe(workers)
      expect(proxy.ahead(100), proxy.say()).toBeLessThanOrEqual(more)
      expect(heard).toEqual(heard.map(() => `${workers} of ${workers} workers run at ${proxy.address}`))
      using client = await SchedulerClient.connect(address)
      await client.terminate()
      await scheduler.expectStatus(0)
      await started.ended
      cluster.expectFile('dask-*-space')
      await cluster.expectNothingLeft()
    },
  )
})

function startWorkers(cluster: Cluster, python: string, file: string): Started {
  return cluster.start([python, join(programs, 'workers_in_one.py'), file, String(workers)])
}
