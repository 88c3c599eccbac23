import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { slurmEnvironment } from '../support/environment.ts'
import { listening, loopback } from '../support/listening.ts'
import { startTasks } from '../support/step.ts'

/** Three tasks on one node. */
const tasks = [0, 1, 2].map((rank) =>
  slurmEnvironment('step-3nodes-6tasks-proc0', {
    SLURM_PROCID: String(rank),
    SLURM_LOCALID: String(rank),
    ...{ SLURM_NTASKS: '3', SLURM_NPROCS: '3', SLURM_STEP_NUM_TASKS: '3' },
    ...{ SLURM_NNODES: '1', SLURM_JOB_NUM_NODES: '1', SLURM_STEP_NUM_NODES: '1' },
    ...{ SLURM_NODELIST: 'node0', SLURM_JOB_NODELIST: 'node0', SLURM_STEP_NODELIST: 'node0' },
    ...{ SLURM_TASKS_PER_NODE: '3', SLURM_STEP_TASKS_PER_NODE: '3' },
  }),
)
const open = 'ports of Dask are open to everybody who reaches this network'

test('all that a run of one host has listens on loopback, and its commands there work', async () => {
  await using cluster = await Cluster.make()
  const runs = startTasks(cluster, tasks, ['--nanny', '--no-client', '--scheduler-file', 'F.json'])
  const names = ['python3', join(programs, 'names.py'), 'F.json', '2']
  const wait = cluster.run(['wait', '--workers', '2', '--scheduler-file', 'F.json', '--', ...names])
  await wait.expectStatus(0)
  expect(wait.stdout).toMatch(/result 21/)
  const addresses = await listening(cluster.processes())
  // Rank 0: scheduler, dashboard and channel. Each of two others: worker, its dashboard and nanny.
  expect(addresses.length).toBeGreaterThanOrEqual(9)
  expect(new Set(addresses)).toEqual(new Set([loopback]))
  const stop = cluster.run(['stop', '--scheduler-file', 'F.json'])
  await stop.expectStatus(0)
  for (const run of runs) await run.expectStatus(0)
  expect(runs.map(({ stderr }) => stderr).join('')).not.toContain(open)
  await cluster.expectNothingLeft()
})

test('a run of one host is open where the user says so, and says it', async () => {
  await using cluster = await Cluster.make()
  const program = ['--', 'python3', join(programs, 'workers.py'), '2']
  const runs = startTasks(cluster, tasks, ['--host', '0.0.0.0', '--scheduler-file', 'F.json', ...program])
  for (const run of runs) await run.expectStatus(0)
  const said = runs.map(({ stderr }) => stderr).join('')
  expect(said.split(open)).toHaveLength(2)
  expect(said).toMatch(/cluster at tcp:\/\/(?!127\.)/)
  for (const run of runs) run.expectNoAlarm()
  await cluster.expectNothingLeft()
})
