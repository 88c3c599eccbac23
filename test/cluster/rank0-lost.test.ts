import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs, type Started } from '../support/cluster.ts'
import { isWithin, kill } from '../support/processes.ts'
import { fourTasks, startTasks } from '../support/step.ts'

// Rank 0 is killed with all that it has started, its reaper included, as with its host.
const directory = '.F.json.run-sim-7.0-r0'
const args = ['--scheduler-file', 'F.json', '--verbose', '--', 'python3', join(programs, 'hold.py'), 'go']
const lost = 'Lost rank 0 (scheduler) on node0'

async function killWithItsReaper(run: Started, cluster: Cluster): Promise<void> {
  const family = cluster.processes().filter((pid) => isWithin(pid, run.pid))
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const each of family) kill(each, signal)
  await run.ended
  cluster.expectTemporary('dask-hpc-runner-*')
}

test.concurrent(
  'where rank 0 is killed with its reaper, the survivors remove the scheduler file and the directory',
  async () => {
    await using cluster = await Cluster.make()
    const [zero, ...others] = startTasks(cluster, fourTasks(), args)
    if (zero === undefined) throw new Error('not started')
    await others[0]?.expectOutput('ready')
    for (const run of others) await run.expectOutput('joined the run')
    expect(await readdir(cluster.path(directory))).toEqual(['coordinator.json'])
    await killWithItsReaper(zero, cluster)
    for (const run of others) await run.expectStatus(69)
    // Its deputy tells it.
    expect(others.map(({ stderr }) => stderr.includes(lost))).toEqual([true, false, false])
    await cluster.expectNothingLeft()
  },
)

test.concurrent('where a process has not come yet, the survivors leave it the cause, and nothing else', async () => {
  await using cluster = await Cluster.make()
  const [last, ...first] = fourTasks().toReversed()
  const [second, client, zero] = startTasks(cluster, first, args)
  if (zero === undefined) throw new Error('not started')
  await client?.expectOutput('ready')
  await second?.expectOutput('joined the run')
  await killWithItsReaper(zero, cluster)
  for (const run of [client, second]) await run?.expectStatus(69)
  expect(existsSync(cluster.path('F.json'))).toBe(false)
  expect(await readdir(cluster.path(directory))).toEqual(['outcome.json'])
  const late = cluster.run(['run', ...args], last)
  await late.expectStatus(69)
  // It has been told.
  expect([client, second, late].map((run) => run?.stderr.includes(lost))).toEqual([true, false, false])
  cluster.expectFile(directory)
  await cluster.expectNothingLeft()
})

test.concurrent('a process that alone has lost rank 0 removes nothing of a run that goes on', async () => {
  await using cluster = await Cluster.make()
  const runs = startTasks(cluster, fourTasks(), ['--lost-after', '8s', ...args])
  const [, client, , worker] = runs
  await client?.expectOutput('ready')
  await worker?.expectOutput('joined the run')
  const before = await readFile(cluster.path('F.json'), 'utf8')
  // Stopped for longer than it takes to be given up, and awake before its reaper ends it.
  worker?.signal('SIGSTOP')
  await runs[0]?.expectOutput(/Lost rank 3/)
  worker?.signal('SIGCONT')
  expect((await worker?.ended)?.status).not.toBe(0)
  expect(await readFile(cluster.path('F.json'), 'utf8')).toBe(before)
  expect(await readdir(cluster.path(directory))).toEqual(['coordinator.json'])
  client?.signal('SIGTERM')
  for (const run of runs.slice(0, 3)) await run.ended
  await cluster.expectNothingLeft()
})
