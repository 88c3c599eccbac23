import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'

test('a run that ends while heartbeats are under way alarms nobody', async () => {
  await using cluster = await Cluster.make()
  const slow = ['--preload', join(programs, 'slow_heartbeat.py')]
  const run = cluster.run(['local', '-n', '6', ...slow, '--', 'python3', join(programs, 'hold.py'), 'go'])
  await run.expectOutput('ready')
  // The first ones come a second after the workers.
  await run.expectOutput('heartbeats')
  await writeFile(cluster.path('go'), '')
  cluster.expectFile('go')
  await run.expectStatus(0)
  expect(run.stdout).toContain('result 21')
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})
