import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { relayPath } from '../../src/rendezvous/file/host-relay.ts'
import { secretsDirectory } from '../../src/security/private-files.ts'
import { Cluster, programs, type Started } from '../support/cluster.ts'
import { until } from '../support/until.ts'
import { fourTasks, sixTasks, startTasks, twoTasks } from '../support/step.ts'

const workers = ['--', 'python3', join(programs, 'workers.py')]
const submit = ['--', 'python3', join(programs, 'submit.py')]

// These mostly wait, so that they may wait together.
test.concurrent.for([
  { order: 'the client first and the scheduler last', starts: [10_000, 0, 2_000, 1_000] },
  { order: 'a worker last', starts: [0, 500, 10_000, 1_000] },
] as const)('four tasks become one cluster, with $order', async ({ starts }) => {
  await using cluster = await Cluster.make()
  const runs = await Promise.all(
    fourTasks().map(async (task, rank) => {
      await sleep(starts[rank])
      return cluster.run(['run', ...workers, '2'], task)
    }),
  )
  for (const run of runs) await run.expectStatus(0)
  expect(runs[1]?.stdout).toBe('workers [2, 3]\nresult 21 on 2\n')
  for (const run of runs) run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test.concurrent('a worker that comes when the client has ended ends by itself, and nothing is left', async () => {
  await using cluster = await Cluster.make()
  const [late, ...others] = fourTasks().toReversed()
  const runs = startTasks(cluster, others, submit)
  const client = runs.find((_, i) => others[i]?.SLURM_PROCID === '1')
  await client?.expectOutput('result 21')
  // The client ends meanwhile. A worker is waited for 15 s then, in which it has to start.
  await sleep(1_000)
  const worker = cluster.run(['run', ...submit], late)
  for (const run of [worker, ...runs]) {
    await run.expectStatus(0)
    run.expectNoAlarm()
  }
  await cluster.expectNothingLeft()
})

test.concurrent('a task that comes long after its run is over learns so at once', async () => {
  await using cluster = await Cluster.make()
  const [late, ...others] = fourTasks().toReversed()
  const runs = startTasks(cluster, others, ['--scheduler-file', 'F.json', ...submit])
  for (const run of runs) await run.expectStatus(0)
  expect(runs.map(({ stderr }) => stderr).join('')).toContain('ended without having seen rank 3')
  const worker = cluster.run(['run', '--scheduler-file', 'F.json', ...submit], late)
  await worker.expectStatus(0)
  worker.expectNoAlarm()
  // Word of the end stays for whoever else comes, with word of who came too late, and nothing else.
  const files = await readdir(cluster.work, { recursive: true })
  expect(files.sort()).toEqual([
    '.F.json.run-sim-7.0-r0',
    '.F.json.run-sim-7.0-r0/exited-3.json',
    '.F.json.run-sim-7.0-r0/outcome.json',
  ])
  cluster.expectFile('.F.json.run-sim-7.0-r0')
  await cluster.expectNothingLeft()
})

test.concurrent('a task whose rank 0 does not come says what it waited for, and where', async () => {
  await using cluster = await Cluster.make()
  const worker = cluster.run(['run', '--rendezvous-timeout', '2s', ...submit], fourTasks()[3])
  await worker.expectStatus(75)
  expect(worker.stderr).toMatch(
    /Cannot find the cluster: waited 2 s for rank 0 to publish "coordinator\.json" in ".*run-sim-7\.0-r0", where nothing was/,
  )
  cluster.expectFile('.scheduler-7.0.json.run-sim-7.0-r0')
  await cluster.expectNothingLeft()
})

test('six tasks on three nodes become one cluster of four workers, and leave nothing on their nodes', async () => {
  await using cluster = await Cluster.make()
  // By polling, as on a network filesystem: one task of each node looks for both.
  const runs = startTasks(cluster, sixTasks(), ['--watch', 'poll', '--scheduler-file', 'F.json', ...workers, '5'])
  const relays = await until(
    async () => {
      const name = (await readdir(cluster.work)).find((each) => each.startsWith('.F.json.run-')) ?? ''
      const parent = await secretsDirectory()
      return ['node0', 'node1', 'node2'].map((node) => relayPath(cluster.path(name), node, parent))
    },
    (paths) => paths.every((path) => existsSync(path)),
    { what: 'each node has a relay', say: (paths) => paths.join('\n') },
  )
  await expectStatuses(runs, [0, 0, 0, 0, 0, 0])
  expect(runs[1]?.stdout).toBe('workers [2, 3, 4, 5]\nresult 21 on 5\n')
  expect(relays.filter((path) => existsSync(path))).toEqual([])
  for (const run of runs) run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test('tasks of two elements of a job array and of a requeued job become clusters of their own', async () => {
  await using cluster = await Cluster.make()
  // Each publishes its environment's file while the others do.
  const captures = ['array-task0-proc1', 'array-task1-proc1', 'array-task0-proc1-requeued']
  const say = 'import os; print(os.environ["DASK_HPC_RUNNER_SCHEDULER_FILE"])'
  const args = ['--scheduler-file', 'F-{job_id}.{step_id}-{restart}.json', '--', 'python3', '-c', say]
  const runs = captures.map((capture) => startTasks(cluster, twoTasks(capture), args))
  for (const run of runs) await expectStatuses(run, [0, 0])
  const files = runs.map(([first]) => first?.stdout.trim() ?? '')
  expect(new Set(files).size, files.join('\n')).toBe(3)
  expect(files[2]).toMatch(/-1\.json$/)
  await cluster.expectNothingLeft()
})

async function expectStatuses(runs: readonly Started[], statuses: readonly number[]): Promise<void> {
  const ended = await Promise.all(runs.map(async (run) => run.ended))
  expect(
    ended.map(({ status }) => status),
    runs.map(({ output }) => output).join('\n'),
  ).toEqual(statuses)
}
