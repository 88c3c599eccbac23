import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { namedAsker } from '../../src/commands/cluster/asker.ts'
import { waitForCluster } from '../../src/commands/wait.ts'
import { SchedulerClient } from '../../src/dask/scheduler-client.ts'
import { Cluster, programs, type Started } from '../support/cluster.ts'
import { CountingProxy } from '../support/counting-proxy.ts'
import { startDaskScheduler } from '../support/dask.ts'
import { until } from '../support/until.ts'

const waiters = 12
/** So many requests more than one each 100 ms there may have been, from the first one on. */
const more = 5

/** A plain Dask scheduler whose file is F.json, behind a proxy that counts. */
async function counted(cluster: Cluster): Promise<{ proxy: CountingProxy; address: string; scheduler: Started }> {
  const file = cluster.path('F.json')
  const scheduler = await startDaskScheduler(cluster, file)
  const { address } = JSON.parse(await readFile(file, 'utf8')) as { address: string }
  return { proxy: await CountingProxy.before(address), address, scheduler }
}

function startWorkers(cluster: Cluster, count: number): Started {
  cluster.expectFile('dask-*-space')
  return cluster.start(['python3', join(programs, 'workers_in_one.py'), 'F.json', String(count)])
}

function startWaits(cluster: Cluster, { address }: CountingProxy, wanted: (i: number) => number, ...more: string[]) {
  return Array.from({ length: waiters }, (_, i) =>
    cluster.run(['wait', '--scheduler', address, '--workers', String(wanted(i)), ...more]),
  )
}

function expectPace(proxy: CountingProxy, from = 0): void {
  expect(proxy.ahead(100, from), proxy.say(from)).toBeLessThanOrEqual(more)
}

async function end(cluster: Cluster, address: string, scheduler: Started): Promise<void> {
  using client = await SchedulerClient.connect(address)
  await client.terminate()
  await scheduler.expectStatus(0)
  await cluster.expectNothingLeft()
}

/** Waits until so many requests have been made. */
async function asked(proxy: CountingProxy, count: number): Promise<void> {
  await until(
    () => proxy.asked.length,
    (now) => now >= count,
    { what: `${count} requests have been made`, say: () => proxy.say() },
  )
}

test(`${waiters} commands that come at once, and whose asker is killed, ask no more than one`, async () => {
  await using cluster = await Cluster.make()
  const { address, proxy, scheduler } = await counted(cluster)
  using _ = proxy
  using client = await SchedulerClient.connect(address)
  const waits = startWaits(cluster, proxy, () => 2)
  await asked(proxy, 40)
  expectPace(proxy)
  const killed = (await namedAsker(client, {}))?.pid ?? -1
  expect(waits.map(({ pid }) => pid)).toContain(killed)
  const before = proxy.asked.length
  process.kill(killed, 'SIGKILL')
  await asked(proxy, before + 40)
  expectPace(proxy)
  const workers = startWorkers(cluster, 2)
  for (const wait of waits)
    if (wait.pid === killed) await wait.ended
    else await wait.expectStatus(0)
  expectPace(proxy)
  expect(proxy.asked.filter((op) => op === 'identity').length, proxy.say()).toBe(2)
  await end(cluster, address, scheduler)
  await workers.ended
})

test(`${waiters} commands at their common deadline ask once who is there`, async () => {
  await using cluster = await Cluster.make()
  const { address, proxy, scheduler } = await counted(cluster)
  using _ = proxy
  const workers = startWorkers(cluster, 2)
  const waits = startWaits(cluster, proxy, () => 3, '--timeout', '8s')
  for (const wait of waits) {
    await wait.expectStatus(75)
    expect(wait.stderr).toMatch(/after 8 s 1 is missing at tcp:\S+; there are 0 on 127\.0\.0\.1, 1 on 127\.0\.0\.1/)
  }
  expectPace(proxy)
  // At the beginning, and once a second while they end.
  const identities = proxy.asked.filter((op) => op === 'identity').length
  expect(identities, proxy.say()).toBeLessThanOrEqual(4)
  await end(cluster, address, scheduler)
  await workers.ended
})

test(`${waiters} commands that wait for different numbers take the asking over from each other`, async () => {
  await using cluster = await Cluster.make()
  const { address, proxy, scheduler } = await counted(cluster)
  using _ = proxy
  const waits = startWaits(cluster, proxy, (i) => i + 1)
  await asked(proxy, 5)
  const workers: Started[] = []
  for (const [i, wait] of waits.entries()) {
    const options = ['--no-nanny', '--nthreads', '1', '--no-dashboard', '--scheduler-file', 'F.json']
    workers.push(cluster.start(['python3', '-m', 'distributed.cli.dask_worker', ...options, '--name', String(i)]))
    await wait.expectStatus(0)
    expect(wait.stderr).toContain(`${i + 1} worker`)
  }
  expectPace(proxy)
  await end(cluster, address, scheduler)
  for (const worker of workers) await worker.ended
})

test('many that come at once when all is there ask once or twice, and need no asker', async () => {
  await using cluster = await Cluster.make()
  const { address, proxy, scheduler } = await counted(cluster)
  using _ = proxy
  const workers = startWorkers(cluster, 2)
  await cluster.run(['wait', '--scheduler', address, '--workers', '2']).expectStatus(0)
  const { signal } = new AbortController()
  const target = { address: proxy.address }
  const all = Array.from({ length: 32 }, async () =>
    waitForCluster({ target, workers: 2, timeout: 60_000, signal, onProgress: () => undefined }),
  )
  for (const { running } of await Promise.all(all)) expect(running).toBe(2)
  expectPace(proxy)
  expect(new Set(proxy.asked)).toEqual(new Set(['identity']))
  await end(cluster, address, scheduler)
  await workers.ended
})
