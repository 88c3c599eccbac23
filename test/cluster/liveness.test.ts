import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { compile } from '../support/library-program.ts'
import { kill } from '../support/processes.ts'
import { until } from '../support/until.ts'

const stubborn = join(programs, 'stubborn.py')
const hold = ['--', 'python3', join(programs, 'hold.py'), 'never']

for (const [ntasks, where] of [
  ['2', 'in rank 0'],
  ['3', 'in another process'],
] as const) {
  test(`a body that keeps its loop busy for longer than the limit is not lost, ${where}`, async () => {
    await using cluster = await Cluster.make()
    const run = cluster.start([process.execPath, await compile(cluster, 'spin'), ntasks, '10000', '4s'])
    await run.expectStatus(0)
    expect(run.stdout).toContain('done')
    run.expectNoAlarm()
    await cluster.expectNothingLeft()
  })
}

test('a body that spins for good does not outlive its run', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.start([process.execPath, await compile(cluster, 'spin'), '3', 'forever', '2s', '2s'])
  await run.expectOutput('spinning')
  process.kill(cluster.parentOf(await cluster.expectProcess('dask-hpc-runner scheduler')), 'SIGKILL')
  const { signal } = await run.ended
  expect(signal).toBe('SIGKILL')
  expect(run.stderr).toContain('the run is over and the program does not end: it is killed')
  await cluster.expectNothingLeft()
})

test('a process that is stopped for too long is ended, and the run tells of it', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--lost-after', '10s', '--grace', '4s', '--', 'python3', stubborn])
  await run.expectOutput('ready')
  const supervisor = cluster.parentOf(await cluster.expectProcess('dask-hpc-runner worker 2'))
  process.kill(supervisor, 'SIGSTOP')
  await run.expectStatus(69)
  expect(run.stderr).toMatch(
    /Lost rank 2 \(worker\) on \S+: (nothing was heard of it for 10 s|it ended without a word)/,
  )
  await cluster.expectNothingLeft()
})

test('a component that is stopped for too long is ended, and a worker started again', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--lost-after', '10s', '--wait-workers', 'all', ...hold])
  await run.expectOutput('ready')
  const worker = await cluster.expectProcess('dask-hpc-runner worker 2')
  process.kill(worker, 'SIGSTOP')
  await run.expectOutput('(it stayed stopped for 10 s); it is started again')
  await until(
    async () => await cluster.expectProcess('dask-hpc-runner worker 2'),
    (pid) => pid !== worker,
    { what: 'another worker 2 is there', say: (pid) => Promise.resolve(String(pid)) },
  )
  run.signal('SIGTERM')
  await run.expectStatus(143)
  await cluster.expectNothingLeft()
})

test('a run that is suspended as a whole goes on when it is resumed', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--lost-after', '10s', '--wait-workers', 'all', ...hold])
  await run.expectOutput('ready')
  const all = cluster.processes()
  for (const pid of all) kill(pid, 'SIGSTOP')
  await new Promise((next) => setTimeout(next, 20_000))
  for (const pid of all) kill(pid, 'SIGCONT')
  // Long enough for a judgement that counts the time of the suspension.
  await new Promise((next) => setTimeout(next, 12_000))
  expect(run.stderr).not.toMatch(/Lost|stopped/)
  run.signal('SIGTERM')
  await run.expectStatus(143)
  await cluster.expectNothingLeft()
})

test('a worker that crashes is started again, a bounded number of times', async () => {
  await using cluster = await Cluster.make()
  const options = ['--worker-restarts', '1', '--wait-workers', 'all', '--grace', '4s', '--report', 'report.json']
  const run = cluster.run(['local', '-n', '3', ...options, ...hold])
  await run.expectOutput('ready')
  const first = await cluster.expectProcess('dask-hpc-runner worker 2')
  process.kill(first, 'SIGKILL')
  await run.expectOutput('was killed by SIGKILL; it is started again')
  const second = await until(
    async () => await cluster.expectProcess('dask-hpc-runner worker 2'),
    (pid) => pid !== first,
    { what: 'another worker 2 is there', say: (pid) => Promise.resolve(String(pid)) },
  )
  process.kill(second, 'SIGKILL')
  await run.expectStatus(69)
  expect(run.stderr).toMatch(/Worker 2 on \S+ was killed by SIGKILL; no worker is left/)
  const report = JSON.parse(await readFile(cluster.path('report.json'), 'utf8')) as Record<string, unknown>
  expect(report).toMatchObject({ status: 69, failure: { rank: 2, role: 'worker', status: 69 }, silent: [] })
  cluster.expectFile('report.json')
  await cluster.expectNothingLeft()
})

test('the program starts when its workers run, and is told who is missing at the deadline', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run([
    'local',
    '-n',
    '4',
    '--wait-workers',
    '2',
    '--',
    'python3',
    join(programs, 'workers.py'),
    '2',
  ])
  await run.expectStatus(0)
  expect(run.stdout).toContain('result 21')
  // The second worker cannot come: its preload waits.
  const late = cluster.run([
    ...['local', '-n', '3', '--wait-workers', 'all', '--workers-timeout', '4s', '--grace', '4s'],
    ...['--preload', join(programs, 'hang_in_worker.py'), '--', 'echo', 'ran'],
  ])
  await late.expectStatus(75)
  expect(late.stdout).not.toContain('ran')
  expect(late.stderr).toMatch(
    /Cannot start the client program: after 4 s not all of the 1 workers run: worker 2 on \S+ \(not registered\)/,
  )
  await cluster.expectNothingLeft()
})

test('a worker that does not come to run in its time is killed, and ends a run that has no other', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run([
    ...['local', '-n', '3', '--workers-timeout', '2s', '--grace', '4s'],
    ...['--preload', join(programs, 'hang_in_worker.py'), '--', 'sleep', '600'],
  ])
  await run.expectStatus(69)
  expect(run.stderr).toMatch(/error: .*Worker 2 on \S+ did not come to run in 2 s \(--workers-timeout\)/)
  await cluster.expectNothingLeft()
})

test('a worker that does not come to run in its time is killed for good, and one that runs is left alone', async () => {
  await using cluster = await Cluster.make()
  const hang = 'import time\ndef dask_setup(server):\n  if str(server.name) == "2": time.sleep(600)\n'
  const run = cluster.run([
    ...['local', '-n', '4', '--workers-timeout', '12s', '--preload', hang],
    ...['--', 'python3', join(programs, 'hold.py'), 'go'],
  ])
  await run.expectOutput(/warn: Worker 2 on \S+ did not come to run in 12 s \(--workers-timeout\)/)
  // Their time began together, and so would a second worker 2.
  await new Promise((next) => setTimeout(next, 2_000))
  await writeFile(cluster.path('go'), '')
  cluster.expectFile('go')
  await run.expectStatus(0)
  expect(run.stdout).toContain('result 21')
  expect(run.stderr).not.toMatch(/Worker 3|started again/)
  await cluster.expectNothingLeft()
})

test('the command of --on-terminate runs beside the program, with the cluster at hand', async () => {
  await using cluster = await Cluster.make()
  const save = 'echo "saving at $DASK_SCHEDULER_ADDRESS"; sleep 1; echo saved'
  const run = cluster.run(['local', '-n', '3', '--on-terminate', save, '--wait-workers', 'all', ...hold])
  await run.expectOutput('ready')
  run.signal('SIGTERM')
  await run.expectStatus(143)
  expect(run.stdout).toMatch(/saving at tcp:/)
  expect(run.stdout).toContain('saved')
  await cluster.expectNothingLeft()
})
