import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'

test('a worker that its nanny has ended for its memory is told of, and one that Dask has paused when the program fails', async () => {
  await using cluster = await Cluster.make()
  const options = ['--nworkers', '2', '--nanny', '--memory-limit', '250MiB']
  // The task is given up with the first worker that it has ended.
  const env = { DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES: '0' }
  const run = cluster.run(['local', '-n', '1', ...options, '--', 'python3', join(programs, 'over_limit.py')], env)
  await run.expectStatus(1)
  expect(run.stderr).toContain('KilledWorker')
  const advice = 'give the run more memory, start fewer workers on the node, or raise --memory-limit'
  expect(run.stderr).toMatch(
    /Worker 0-1 on \S+ was ended by its nanny because it took more than 95 % of the 250 MiB that/,
  )
  expect(run.stderr).toContain(`Dask allows it; ${advice}; it is started again`)
  expect(run.stderr).toContain('workers were killed because of their memory in this run, 1 time: see above')
  expect(run.stderr).toMatch(
    /Dask has paused workers because of their memory: 0-0 on \S+ \(paused at \d\S* MiB of 250 MiB\); /,
  )
  await cluster.expectNothingLeft()
})
