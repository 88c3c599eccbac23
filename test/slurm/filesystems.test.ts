import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

// Each host has a mount of its own, which believes for 4 s what it has seen, missing names included.
const test = slurmTest({ cacheSeconds: 4 })
const four = ['--nodes=4', '--ntasks=4']
const workers = ['--', 'python', join(programs, 'workers.py'), '3']

test.for(['auto', 'poll'])('processes meet on a filesystem that caches, with --watch %s', async (watch, { work }) => {
  const step = work.srun(four, ['dask-hpc-runner', 'run', '--watch', watch, ...workers])
  await step.expectStatus(0)
  expect(step.stdout).toBe('workers [2, 3]\nresult 21 on 3\n')
  step.expectNoAlarm()
  await work.expectNothingLeft()
})

test('events are not waited for where they do not come, which is said', async ({ work }) => {
  // Each process that has to wait says it. A name that was asked for too early would be missed for seconds; a list has it at once.
  const late = 'if [ "$SLURM_PROCID" = 0 ]; then until ls | grep -qx go; do sleep 0.1; done; fi; exec "$@"'
  const step = work.srun(four, ['sh', '-c', late, 'sh', 'dask-hpc-runner', 'run', '--watch', 'events', ...workers])
  await step.expectOutput(/\[(1 client|2 worker|3 worker)\] warn: Polling ".*" and not waiting for events/)
  await work.write('go', '')
  await step.expectStatus(0)
  await work.expectNothingLeft()
})

test('a directory that only one host sees is named on every process within seconds', async ({ work }) => {
  const step = work.srun(four, ['dask-hpc-runner', 'run', '--scheduler-file', '/tmp/private/F.json', ...workers])
  const began = performance.now()
  await step.expectStatus(73)
  // Long before the rendezvous timeout of five minutes.
  expect(performance.now() - began).toBeLessThan(60_000)
  for (const rank of ['0 scheduler', '1 client', '2 worker', '3 worker'])
    expect(step.stderr).toMatch(
      new RegExp(
        `\\[${rank}\\] error: Cannot meet the processes of other nodes in "/tmp/private/.*" on a local filesystem`.replace(
          '" on',
          '": it is on',
        ),
      ),
    )
  for (const node of work.slurm.nodes) await work.slurm.on(node, ['rm', '-r', '/tmp/private'])
  await work.expectNothingLeft()
})
