import { writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster } from '../support/cluster.ts'
import { canHang, HangingMount } from '../support/hanging-mount.ts'

test.skipIf(!canHang)('a node file whose filesystem hangs ends run and spread in their time', async () => {
  await using cluster = await Cluster.make()
  const directory = join(cluster.directory, 'mounted')
  await using mount = await HangingMount.of(join(cluster.directory, 'source'), directory)
  const file = join(directory, '17')
  await writeFile(file, `${hostname()}\n`)
  mount.hang()
  const args = ['run', '--filesystem-timeout', '1s', '--', 'true']
  const inJob = cluster.run(args, { OAR_FILE_NODES: file, OAR_JOB_ID: '17' })
  const spread = cluster.run(['spread', '--hosts-from', file, '--', ...args])
  for (const each of [inJob, spread]) expect(await each.ended, each.output).toEqual({ status: null, signal: 'SIGKILL' })
  expect(inJob.stderr).toContain(
    `OAR_FILE_NODES is "${file}", which cannot be used: its filesystem does not answer; check what changed it\n`,
  )
  expect(spread.stderr).toContain(`Cannot read the hosts of "${file}": its filesystem does not answer\n`)
  await cluster.expectNothingLeft()
})
