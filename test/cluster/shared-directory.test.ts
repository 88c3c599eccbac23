import { chmod, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Cluster, type Started } from '../support/cluster.ts'
import { commonGroup, makeShared, test, user } from '../support/second-user.ts'
import { compile } from '../support/library-program.ts'
import { SharedPlace, runDirectory } from '../support/shared-place.ts'
import { fourTasks } from '../support/step.ts'

test('a run whose directory is swapped while it goes on ends in order, and nothing in its place is touched', async () => {
  await using place = await SharedPlace.make('group')
  const { cluster, shared } = place
  const moved = await place.precious(join(shared, 'private'))
  const flags = ['--scheduler-file', join(shared, 'F.json'), '--wait-workers', 'all']
  const program = 'echo ready; while [ ! -e go ]; do sleep 0.1; done; echo done'
  const run = cluster.run(['local', '-n', '3', ...flags, '--', 'sh', '-c', program])
  await run.expectOutput('ready')
  const name = (await readdir(shared)).find((each) => each.startsWith('.F.json.run-')) ?? ''
  await place.attack(`mv ${name} away; mv private ${name}`)
  await writeFile(cluster.path('go'), '')
  cluster.expectFile('go')
  await run.expectStatus(0)
  await moved.expectUntouched(join(shared, name))
  expect(run.stdout).toContain('done\n')
  expect(run.stderr).toContain(
    `warn: Cannot remove "${join(shared, name)}": another directory has been put in its place`,
  )
  expect((await readdir(shared)).toSorted()).toEqual([name, 'away'])
  await cluster.expectNothingLeft()
})

test('a run and all that joins it work with umask 002 in the directory of a group, which can do nothing to it', async () => {
  await using cluster = await Cluster.make({ user })
  const project = await makeShared(cluster.directory, 'project', 'group')
  await chmod(project, 0o2775)
  const file = join(project, 'F.json')
  const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Started =>
    cluster.start(['sh', '-c', 'umask 002; exec "$@"', 'sh', ...cluster.command(...args)], env, project)
  const program = ['sh', '-c', 'echo ready; exec sleep 600']
  const tasks = fourTasks().map((task) =>
    start(['run', '--scheduler-file', 'F.json', '--wait-workers', 'all', '--', ...program], task),
  )
  await tasks[1]?.expectOutput('ready')
  const modes = await Promise.all([file, join(project, runDirectory)].map(async (path) => stat(path)))
  expect(modes.map(({ mode, gid }) => [(mode & 0o777).toString(8), gid])).toEqual([
    ['600', commonGroup],
    ['700', commonGroup],
  ])
  const at = ['--scheduler-file', 'F.json']
  const client = await compile(cluster, 'client-by-file', { isWhole: true })
  const joining = [
    start(['wait', ...at, '--workers', '2', '--', 'echo', 'waited']),
    start(['status', ...at]),
    start(['env', ...at]),
    cluster.start([process.execPath, client, file], { DASK_HPC_RUNNER_PYTHON: 'python3' }),
  ]
  for (const each of joining) await each.expectStatus(0)
  expect(joining.map(({ stdout }) => /^(waited|tcp 21|scheduler|export)/m.exec(stdout)?.[0])).toEqual([
    ...['waited', 'scheduler', 'export', 'tcp 21'],
  ])
  await start(['stop', ...at]).expectStatus(0)
  for (const task of tasks) await task.ended
  expect(await readdir(project)).toEqual([])
  await cluster.expectNothingLeft()
})
