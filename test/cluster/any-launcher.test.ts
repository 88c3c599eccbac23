import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'

const flags = ['--rank-from', 'MY_RANK', '--size-from', 'MY_SIZE', '--run-id-from', 'MY_JOB'] as const

test('four processes of a launcher that nobody knows become one cluster, by variables that are named or by values', async () => {
  await using cluster = await Cluster.make()
  const program = `exec python3 ${join(programs, 'workers.py')} 2; `
  const shown = `echo "rank \${MY_RANK-none} of \${MY_SIZE-none}"; ${program}`
  const byValue = ['--rank', '3', '--size', '4', '--run-id', '17.server']
  const processes = ['0', '1', '2', '3'].map((rank) =>
    cluster.run(
      ['run', '--scheduler-file', 'F-{job_id}.json', ...(rank === '3' ? byValue : flags), '--', 'sh', '-c', shown],
      {
        MY_RANK: rank,
        MY_SIZE: '4',
        MY_JOB: '17.server',
      },
    ),
  )
  for (const each of processes) await each.expectStatus(0)
  // The program is no rank of that launcher.
  expect(processes[1]?.stdout).toBe('rank none of 4\nworkers [2, 3]\nresult 21 on 2\n')
  for (const each of processes) each.expectNoAlarm()

  const env = { MY_RANK: '1', MY_SIZE: '4', MY_JOB: '17' }
  const plan = cluster.run(['plan', ...flags], env)
  await plan.expectStatus(0)
  expect(plan.stdout).toContain('(MY_RANK=1 of MY_SIZE=4)')
  expect(plan.stdout).toContain('runner: variables, because --rank-from says so\nrendezvous: at the scheduler file\n')
  const lost = cluster.run(['run', ...flags, '--', 'true'], { ...env, MY_RANK: '' })
  await lost.expectStatus(78)
  expect(lost.stderr).toContain('MY_RANK is "", and --rank-from names it')
  const script = { PBS_JOBID: '7.s', PBS_VNODENUM: '0', PBS_NODENUM: '0', PBS_TASKNUM: '1', PBS_NP: '4' }
  const batch = cluster.run(['run', '--', 'true'], script)
  await batch.expectStatus(78)
  expect(batch.stderr).toContain('so this is the script of the job and not one of its tasks; start me with pbsdsh')
  const task = cluster.run(['plan', '--runner', 'pbs'], { ...script, PBS_TASKNUM: '2' })
  await task.expectStatus(0)
  expect(task.stdout).toContain('(PBS_VNODENUM=0 of PBS_NP=4)')
  expect(task.stdout).toContain('runner: pbs, because --runner pbs says so\n')
  const half = cluster.run(['run', '--rank', '1', '--', 'true'], env)
  await half.expectStatus(64)
  expect(half.stderr).toContain('Cannot use --rank 1 alone: name --size-from or --size too')
  await cluster.expectNothingLeft()
})

test('a program whose output goes into the pipe of all processes loses nothing where one of these comes late', async () => {
  await using cluster = await Cluster.make()
  const python = [
    "open('runs', 'w').close()",
    'from dask.distributed import Client',
    'with Client() as client: client.wait_for_workers(1)',
    "open('prints', 'w').close()",
    "for _ in range(20_000): print('x' * 99)",
  ].join('\n')
  const run = (rank: number) => `"$@" run --rank ${rank} --size 3 --run-id 17 -- python3 -c "$program" &`
  const started = [run(0), run(1), 'until [ -e runs ]; do sleep 0.1; done', run(2), 'wait'].join('\n')
  const script = `program="${python}"\n{\n${started}\n} | { until [ -e prints ]; do sleep 0.1; done; cat; }`
  const job = cluster.start(['sh', '-c', script, 'sh', ...cluster.command()])
  await job.expectStatus(0)
  expect(job.stdout).toBe(`${'x'.repeat(99)}\n`.repeat(20_000))
  for (const name of ['runs', 'prints']) cluster.expectFile(name)
  await cluster.expectNothingLeft()
})
