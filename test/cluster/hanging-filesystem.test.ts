import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { expect, test as anyTest } from 'vitest'
import { Cluster } from '../support/cluster.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'
import { fourTasks, startTasks } from '../support/step.ts'

const test = anyTest.skipIf(!canHang)
const killed = { status: null, signal: 'SIGKILL' }

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
