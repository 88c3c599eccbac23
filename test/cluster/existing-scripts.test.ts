import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster } from '../support/cluster.ts'
import { pythonBlocks } from '../support/python-blocks.ts'
import { fourTasks, startTasks } from '../support/step.ts'

const fixtures = join(import.meta.dirname, '../../fixtures')
/** Stand-ins for the packages that programs import which were written for other ways to start Dask. */
const existing = join(fixtures, 'existing')
const [slurmRunner = '', hereRunner = ''] = pythonBlocks('coming-from.md')

/** Longer than the program's part of the grace, which is 1.5 s. */
const goesOn = `
import sys, time
time.sleep(3)
print("written", flush=True)
sys.exit(3)
`

test.concurrent('the program of SLURMRunner runs unchanged, and may go on when it has closed the cluster', async () => {
  await using cluster = await Cluster.make()
  cluster.expectFile('script.py')
  await writeFile(cluster.path('script.py'), slurmRunner + goesOn)
  const options = ['--grace', '2s', '--scheduler-file', 'scheduler-{job_id}.json']
  const tasks = fourTasks({ PYTHONPATH: existing })
  const runs = startTasks(cluster, tasks, [...options, '--', 'python3', 'script.py'])
  const statuses = await Promise.all(runs.map(async (run) => (await run.ended).status))
  expect(statuses, runs.map(({ output }) => output).join('\n')).toEqual([0, 3, 0, 0])
  expect(runs[1]?.stdout).toBe('11\nwritten\n')
  expect(runs[0]?.stderr).toContain('exited with status 0: the client program goes on without the cluster')
  for (const run of runs) run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test.concurrent('a program finds the cluster, or makes one of its own, in all the ways of the page', async () => {
  await using cluster = await Cluster.make()
  cluster.expectFile('here_runner.py')
  await writeFile(cluster.path('here_runner.py'), hereRunner)
  // Dask's own workers leave it.
  for (const name of ['dask-worker-space', 'dask-scratch-space']) cluster.expectTemporary(name)
  const env = {
    PYTHONPATH: `${existing}:${cluster.work}`,
    PYTHONDONTWRITEBYTECODE: '1',
    PATH: `${cluster.directory}/bin:${join(fixtures, 'bin')}:${process.env.PATH}`,
  }
  const options = ['local', '-n', '4', '--scheduler-file', 'F.json']
  const run = cluster.run([...options, '--', 'python3', join(existing, 'ways.py')], env)
  await run.expectStatus(0)
  expect(run.stdout.trim().split('\n')).toEqual([
    'Client(): 2 3',
    'Client(scheduler_file=…): 2 3',
    'and dask worker: 2 3 more',
    "Client(n_workers=1): Unexpected keyword arguments: ['n_workers']",
    'LocalCluster(): 0',
    'SLURMCluster(): job-0',
    'HereRunner(): 2 3',
  ])
  // It goes well: nothing that might have been wrong with it is told.
  expect(run.stderr).not.toContain('ways.py"')
  await cluster.expectNothingLeft()
})
