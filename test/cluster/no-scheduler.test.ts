import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { deadSchedulerFile, startDaskScheduler } from '../support/dask.ts'
import { fourTasks, startTasks } from '../support/step.ts'

const here = ['--no-scheduler', '--scheduler-file', 'F.json']
const names = (count: number): string[] => ['python3', join(programs, 'names.py'), 'F.json', String(count)]

test('adds workers to the cluster of another scheduler, and leaves that as it was', async () => {
  await using cluster = await Cluster.make()
  const scheduler = await startDaskScheduler(cluster, cluster.path('F.json'))
  const before = await readFile(cluster.path('F.json'), 'utf8')
  const run = cluster.run(['local', '-n', '2', ...here])
  const client = cluster.start(['python3', join(programs, 'names.py'), 'F.json', '2'])
  await client.expectStatus(0)
  // Named by run and rank: the cluster may have workers of other runs too.
  expect(client.stdout).toMatch(/^workers \['(local\w+\.0)-0', '\1-1'\]\nresult 21$/m)
  run.signal('SIGTERM')
  await run.expectStatus(143)
  expect(run.output).not.toMatch(/Traceback/)

  expect(await readdir(cluster.work)).toEqual(['F.json'])
  expect(await readFile(cluster.path('F.json'), 'utf8')).toBe(before)
  const step = startTasks(cluster, fourTasks(), [...here, '--', ...names(3)])
  for (const task of step) await task.expectStatus(0)
  expect(step.map(({ stdout }) => stdout).join('')).toMatch(/^workers \['(\d+\.\d)-1', '\1-2', '\1-3'\]\nresult 21$/m)
  expect(await readFile(cluster.path('F.json'), 'utf8')).toBe(before)

  scheduler.signal('SIGTERM')
  await scheduler.ended
  await cluster.expectNothingLeft()
})

test('adds workers to the cluster of another run, for which it waits where the file is of one that is gone', async () => {
  await using cluster = await Cluster.make()
  await writeFile(cluster.path('F.json'), await deadSchedulerFile())
  const early = cluster.run(['local', '-n', '2', ...here, '--', ...names(3)])
  await early.expectOutput(
    /\[0 \S+\] waiting for the cluster of \S+F\.json \(--no-scheduler\): for its scheduler: .* is gone/,
  )
  expect(early.stderr).not.toContain('to start the scheduler')
  const replacing = cluster.run(['local', '-n', '2', '--scheduler-file', 'F.json'])
  await early.expectStatus(0)
  replacing.signal('SIGTERM')
  await replacing.expectStatus(143)

  const first = cluster.run(['local', '-n', '3', '--scheduler-file', 'F.json', '--', ...names(3)])
  const second = cluster.run(['local', '-n', '2', ...here])
  await first.expectStatus(0)
  expect(first.stdout).toMatch(/^workers \['2', '(local\w+\.0)-0', '\1-1'\]\nresult 21$/m)
  // Its workers have lost their scheduler, and there is nothing more to do.
  await second.expectStatus(0)
  await cluster.expectNothingLeft()
})

const unusable: readonly (readonly [string, () => Promise<string>, number, RegExp])[] = [
  [
    'whose scheduler stays gone',
    deadSchedulerFile,
    75,
    /waited 8 s for its scheduler: that at tcp:\/\/127\.0\.0\.1:\d+ is gone/,
  ],
  ['that is none', () => Promise.resolve('precious\n'), 69, /it is not JSON/],
]

test.for(unusable)('tells of a scheduler file %s, once in a step', async ([, text, status, why]) => {
  await using cluster = await Cluster.make()
  const before = await text()
  await writeFile(cluster.path('F.json'), before)
  const briefly = [...here, '--rendezvous-timeout', '8s']
  const step = startTasks(cluster, fourTasks(), [...briefly, '--', ...names(3)])
  const local = cluster.run(['local', '-n', '2', ...briefly])
  for (const run of [...step, local]) await run.expectStatus(status)
  for (const run of [step[0], local]) {
    expect(run?.stderr).toMatch(/Cannot join the cluster of ".*\/F\.json": /)
    expect(run?.stderr).toMatch(why)
  }
  expect(step.slice(1).map((run) => run.errors())).toEqual([[], [], []])
  expect(await readFile(cluster.path('F.json'), 'utf8')).toBe(before)
  cluster.expectFile('F.json')
  await cluster.expectNothingLeft()
})

test('says how long it waited for a scheduler file that does not come', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '2', '--rendezvous-timeout', '2s', ...here])
  await run.expectStatus(75)
  expect(run.stderr).toMatch(/Cannot join the cluster of ".*\/F\.json": waited 2 s for the file/)
  await cluster.expectNothingLeft()
})
