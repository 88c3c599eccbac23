import { readFile, writeFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { ClusterRecord } from '../../src/record/cluster-record.ts'
import { Cluster, python } from '../support/cluster.ts'
import { connectionsTo } from '../support/connections.ts'
import { fourTasks, startTasks } from '../support/step.ts'
import { until } from '../support/until.ts'

// Open MPI's mpirun ends all ranks, and hears nothing more of them, as soon as one of them has ended with a failure.
it('the cause of a run that fails is told before the first process ends', async () => {
  await using cluster = await Cluster.make()
  // When all have come, nothing waits in the run's directory for one that is late.
  const failing = 'import os, time\nwhile not os.path.exists("all"): time.sleep(0.05)\nimport no_such_module'
  const args = ['--python', python, '--preload', failing, '--', 'sleep', '300']
  cluster.expectFile('all')
  const runs = startTasks(cluster, fourTasks(), args)
  const coordinator = cluster.path('.scheduler-7.0.json.run-sim-7.0-r0/coordinator.json')
  await until(
    async () => {
      const text = await readFile(coordinator, 'utf8').catch(() => '')
      return text === '' ? 0 : await connectionsTo((JSON.parse(text) as ClusterRecord).control.port)
    },
    (count) => count >= runs.length - 1,
    { what: 'all have connected to rank 0', say: String },
  )
  await writeFile(cluster.path('all'), '')
  await Promise.race(runs.map(async (run) => await run.ended))
  for (const run of runs) run.signal('SIGKILL')
  await Promise.all(runs.map(async (run) => await run.ended))
  const all = runs.map(({ stderr }) => stderr).join('')
  expect(all.match(/error: Cannot start scheduler/g)).toHaveLength(1)
  await cluster.expectNothingLeft()
})
