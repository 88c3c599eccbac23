import { expect, it } from 'vitest'
import { Cluster, python } from '../support/cluster.ts'
import { fourTasks, startTasks } from '../support/step.ts'

// Open MPI's mpirun ends all ranks, and hears nothing more of them, as soon as one of them has ended with a failure.
it('the cause of a run that fails is told before the first process ends', async () => {
  await using cluster = await Cluster.make()
  const args = ['--python', python, '--preload', 'import no_such_module', '--', 'sleep', '300']
  // A process that came late was to find it, and was killed with the others.
  cluster.expectFile('.scheduler-7.0.json.run-sim-7.0-r0')
  const runs = startTasks(cluster, fourTasks(), args)
  await Promise.race(runs.map(async (run) => await run.ended))
  for (const run of runs) run.signal('SIGKILL')
  await Promise.all(runs.map(async (run) => await run.ended))
  const all = runs.map(({ stderr }) => stderr).join('')
  expect(all.match(/error: Cannot start scheduler/g)).toHaveLength(1)
  await cluster.expectNothingLeft()
})
