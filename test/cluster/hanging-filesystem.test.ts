import { join } from 'node:path'
import { mkdir, writeFile } from 'node:fs/promises'
import { expect, test as anyTest } from 'vitest'
import { Cluster, python } from '../support/cluster.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'
import { fourTasks, startTasks } from '../support/step.ts'

const test = anyTest.skipIf(!canHang)
const killed = { status: null, signal: 'SIGKILL' }
const told = { status: 73, signal: null }

async function mounted(cluster: Cluster): Promise<{ mount: HangingMount; file: string }> {
  const directory = join(cluster.directory, 'mounted')
  return { mount: await HangingMount.of(join(cluster.directory, 'source'), directory), file: join(directory, 'F.json') }
}

test('a filesystem that hangs ends every process in its time, and each says so', async () => {
  await using cluster = await Cluster.make()
  const { mount, file } = await mounted(cluster)
  await using _mount = mount
  mount.hang()
  const flags = ['--scheduler-file', file, '--filesystem-timeout', '2s']
  const runs = startTasks(cluster, fourTasks(), [...flags, '--', 'echo', 'never'])
  for (const run of runs) {
    expect(await run.ended, run.output).toEqual(killed)
    expect(run.stderr).toMatch(
      new RegExp(
        `^\\[. \\w+\\] error: Cannot make a directory of the run beside "${file}": its filesystem has not answered for 2 s; .*\n$`,
      ),
    )
    expect(run.stdout).toBe('')
  }
  await cluster.expectNothingLeft()
})

test('a program on a filesystem that hangs is not waited for', async () => {
  await using cluster = await Cluster.make()
  const { mount } = await mounted(cluster)
  await using _mount = mount
  const [program, limit] = [join(cluster.directory, 'mounted', 'client'), ['--filesystem-timeout', '5s']]
  await writeFile(join(cluster.directory, 'source', 'client'), '#!/bin/sh\n', { mode: 0o755 })
  mount.hang()
  const runs = [
    cluster.run(['local', '-n', '3', ...limit, '--', program]),
    cluster.run(['local', '-n', '3', ...limit, '--python', python, '--worker-command', program, '--', 'sleep', '60']),
  ]
  for (const run of runs) {
    const { status, signal } = await run.ended
    expect(signal ?? status, run.output).toSatisfy((end) => end === 78 || end === 'SIGKILL')
    expect(run.stderr).toContain(`Cannot look at "${program}": its filesystem has not answered for 5 s; `)
  }
  await cluster.expectNothingLeft()
})

test('a filesystem that hangs when the program has ended is left alone, and said', async () => {
  await using cluster = await Cluster.make()
  const { mount, file } = await mounted(cluster)
  await using _mount = mount
  const flags = ['--scheduler-file', file, '--filesystem-timeout', '2s', '--wait-workers', 'all']
  const program = 'echo ready; while [ ! -e go ]; do sleep 0.1; done; echo done'
  const run = cluster.run(['local', '-n', '3', ...flags, '--', 'sh', '-c', program])
  await run.expectOutput('ready')
  mount.hang()
  await writeFile(cluster.path('go'), '')
  cluster.expectFile('go')
  expect(await run.ended, run.output).toEqual(killed)
  expect(run.stdout).toContain('done\n')
  expect(run.stderr).toContain(
    `[0 scheduler] warn: Cannot remove the files of the run beside "${file}": its filesystem has not answered for 2 s`,
  )
  await cluster.expectNothingLeft()
})

test.for([
  ['the scheduler file', 'F.json', [killed, told, told, told], /Cannot publish beside ".*": its filesystem has not/],
  [
    'an outcome',
    '.F.json.run-sim-7.0-r0/outcome.json',
    [killed, killed, killed, killed],
    /its filesystem has not answered/,
  ],
] as const)(
  'one file that nobody serves, in a directory that answers, ends the run: %s',
  async ([, name, ends, why]) => {
    await using cluster = await Cluster.make()
    await mkdir(cluster.path('.F.json.run-sim-7.0-r0'), { mode: 0o700 })
    await using served = await HangingMount.of(join(cluster.directory, 'source'), join(cluster.directory, 'mounted'))
    await writeFile(join(cluster.directory, 'source/file'), '{}')
    await writeFile(cluster.path(name), '')
    await using _file = await served.show('file', cluster.path(name))
    served.hang()
    const runs = startTasks(cluster, fourTasks(), [
      '--scheduler-file',
      'F.json',
      '--filesystem-timeout',
      '2s',
      '--',
      'true',
    ])
    for (const [rank, run] of runs.entries()) expect(await run.ended, run.output).toEqual(ends[rank])
    // Those that rank 0 could tell it leave it to rank 0.
    for (const [rank, run] of runs.entries())
      if (ends[rank] === killed) expect(run.stderr).toMatch(why)
      else expect(run.errors()).toEqual([])
    for (const left of ['F.json', '.F.json.run-sim-7.0-r0']) cluster.expectFile(left)
    await cluster.expectNothingLeft()
  },
)
