import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'

const workers = join(programs, 'workers.py')

test('a program in a run of four sees the workers 2 and 3 and computes on process 2', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '4', '--', 'python3', workers, '2'])
  await run.expectStatus(0)
  expect(run.stdout).toBe('workers [2, 3]\nresult 21 on 2\n')
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})
