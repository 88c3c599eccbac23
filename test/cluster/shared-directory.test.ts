import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { test } from '../support/second-user.ts'
import { SharedPlace } from '../support/shared-place.ts'

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
