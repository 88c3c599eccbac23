import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { namedAsker } from '../../src/commands/cluster/asker.ts'
import { SchedulerClient } from '../../src/dask/scheduler-client.ts'
import { Cluster, programs } from '../support/cluster.ts'
import { CountingProxy } from '../support/counting-proxy.ts'
import { startDaskScheduler } from '../support/dask.ts'
import { until } from '../support/until.ts'

/** So many requests more than one each 100 ms there may have been, from the first one on. */
const more = 5

test('where the one that asks for all is killed, or frozen, another one asks', async () => {
  await using cluster = await Cluster.make()
  const file = cluster.path('F.json')
  const scheduler = await startDaskScheduler(cluster, file)
  const { address } = JSON.parse(await readFile(file, 'utf8')) as { address: string }
  using proxy = await CountingProxy.before(address)
  using client = await SchedulerClient.connect(address)
  const waits = Array.from({ length: 5 }, () => cluster.run(['wait', '--scheduler', proxy.address, '--workers', '2']))
  const former: number[] = []
  /** The process that asks for all, which none of those did that asked before it. */
  const asker = async (): Promise<number> => {
    const named = await until(
      async () => (await namedAsker(client, {}))?.pid ?? -1,
      (pid) => waits.some((wait) => wait.pid === pid) && !former.includes(pid),
      { what: 'another one asks', say: String },
    )
    former.push(named)
    await one(proxy)
    return named
  }
  const killed = await asker()
  process.kill(killed, 'SIGKILL')
  const frozen = await asker()
  process.kill(frozen, 'SIGSTOP')
  await asker()
  // It comes to itself, and finds that it is no longer the one that asks.
  process.kill(frozen, 'SIGCONT')
  await one(proxy)
  const workers = cluster.start(['python3', join(programs, 'workers_in_one.py'), file, '2'])
  for (const wait of waits)
    if (wait.pid === killed) expect(await wait.ended).toEqual({ status: null, signal: 'SIGKILL' })
    else await wait.expectStatus(0)
  expect(proxy.ahead(100), proxy.say()).toBeLessThanOrEqual(more)
  await client.terminate()
  await scheduler.expectStatus(0)
  await workers.ended
  cluster.expectFile('dask-*-space')
  await cluster.expectNothingLeft()
})

/** Waits until so few questions come as one process has. */
async function one(proxy: CountingProxy): Promise<void> {
  const inASecond = async (): Promise<readonly string[]> => {
    const before = proxy.asked.length
    await sleep(1_000)
    return proxy.asked.slice(before)
  }
  await until(inASecond, (asked) => asked.length > 0 && asked.length <= 11, {
    what: 'one asks for all',
    say: (asked) => asked.join(),
  })
}
