import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { published } from '../support/dask.ts'
import { slurmEnvironment } from '../support/environment.ts'
import { fourTasks, startTasks } from '../support/step.ts'

const hold = ['--', 'python3', join(programs, 'hold.py'), 'go']
const submit = ['--', 'python3', join(programs, 'submit.py')]

test('a second run on the path of a living one is told so, and the first goes on', async () => {
  await using cluster = await Cluster.make()
  const first = cluster.run(['local', '-n', '3', '--scheduler-file', 'F.json', ...hold])
  await first.expectOutput('ready')
  const file = await readFile(cluster.path('F.json'), 'utf8')
  const { host, pid, run_key } = (JSON.parse(file) as { dask_hpc_runner: Record<string, string> }).dask_hpc_runner
  const who = `run ${run_key} on host ${host} (process id ${pid}) is using it; end that run or name another scheduler file`

  const begin = performance.now()
  const second = cluster.run(['local', '-n', '3', '--scheduler-file', 'F.json', ...submit])
  const step = startTasks(cluster, fourTasks(), ['--scheduler-file', 'F.json', ...submit])
  for (const run of [second, ...step]) {
    await run.expectStatus(73)
    expect(run.stdout).toBe('')
  }
  // Rank 0 tells for all.
  for (const run of [second, step[0]])
    expect(run?.stderr).toContain(`Cannot publish "${cluster.path('F.json')}": ${who}`)
  for (const run of step.slice(1)) expect(run.words()).toEqual([])
  expect(performance.now() - begin).toBeLessThan(25_000)

  expect(await readFile(cluster.path('F.json'), 'utf8')).toBe(file)
  await writeFile(cluster.path('go'), '')
  await first.expectStatus(0)
  expect(first.stdout).toBe('ready\nresult 21\n')
  first.expectNoAlarm()
  cluster.expectFile('go')
  await cluster.expectNothingLeft()
})

test('two runs that start on one path at once: one of them gets it, the other is told so', async () => {
  await using cluster = await Cluster.make()
  const args = ['local', '-n', '3', '--scheduler-file', 'F.json', ...hold]
  const runs = [cluster.run(args), cluster.run(args)] as const
  const loser = await Promise.race(runs.map(async (run) => run.ended.then(() => run)))
  await loser.expectStatus(73)
  expect(loser.stderr).toMatch(/Cannot publish ".*\/F\.json": run \S+ on host \S+ \(process id \d+\) is using it/)
  const winner = runs[0] === loser ? runs[1] : runs[0]
  await published(cluster.path('F.json'), winner)
  await writeFile(cluster.path('go'), '')
  await winner.expectStatus(0)
  expect(winner.stdout).toBe('ready\nresult 21\n')
  cluster.expectFile('go')
  await cluster.expectNothingLeft()
})

test('of two processes with the variables of one task, one runs, and the other is told what it looks like', async () => {
  await using cluster = await Cluster.make()
  const alone = { SLURM_NTASKS: '1', SLURM_NPROCS: '1', SLURM_STEP_NUM_TASKS: '1', SLURM_STEP_TASKS_PER_NODE: '1' }
  const nodes = { SLURM_NNODES: '1', SLURM_STEP_NUM_NODES: '1', SLURM_STEP_NODELIST: 'node0', SLURM_NODELIST: 'node0' }
  const env = slurmEnvironment('step-4nodes-1task-each-proc0', { ...alone, ...nodes, SLURM_TASKS_PER_NODE: '1' })
  const runs = [1, 2].map(() => cluster.run(['run', '--scheduler-file', 'F.json', ...hold], env))
  const loser = await Promise.race(runs.map(async (run) => run.ended.then(() => run)))
  await loser.expectStatus(73)
  expect(loser.stderr).toMatch(
    /another process claims to be rank 0 of this run \(process id \d+ on node0\); were Slurm's variables copied by ssh\?/,
  )
  const [winner] = runs.filter((run) => run !== loser)
  await winner?.expectOutput('ready')
  await writeFile(cluster.path('go'), '')
  await winner?.expectStatus(0)
  expect(winner?.stdout).toBe('ready\nresult 21\n')
  cluster.expectFile('go')
  await cluster.expectNothingLeft()
})
