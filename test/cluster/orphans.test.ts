import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { isWithin, kill } from '../support/processes.ts'

const stubborn = join(programs, 'stubborn.py')

test('a killed launcher leaves no descendant, not even one that left its session', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--', 'python3', stubborn])
  await run.expectOutput('ready')
  run.signal('SIGKILL')
  await run.ended
  await cluster.expectNothingLeft()
})

test('a killed launcher of a shared layout leaves neither file nor process', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run([
    'local',
    '--layout',
    'shared',
    '-n',
    '3',
    '--scheduler-file',
    'f.json',
    '--',
    'python3',
    stubborn,
  ])
  await run.expectOutput('ready')
  run.signal('SIGKILL')
  await run.ended
  await cluster.expectNothingLeft()
})

test('a supervisor of a worker that is killed takes its worker along, and the run goes on', async () => {
  await using cluster = await Cluster.make()
  cluster.expectFile('go')
  const run = cluster.run(['local', '-n', '4', '--', 'sh', '-c', 'while [ ! -e go ]; do sleep 0.1; done'])
  const worker = await cluster.expectProcess('dask-hpc-runner worker 3')
  await run.expectOutput('all 2 workers are there')
  process.kill(cluster.parentOf(worker), 'SIGKILL')
  await run.expectOutput(/Lost rank 3/)
  await writeFile(cluster.path('go'), '')
  await run.expectStatus(0)
  await cluster.expectNothingLeft()
})

test('a process of the run that does not end is killed, and the status is that of the program', async () => {
  await using cluster = await Cluster.make()
  cluster.expectFile('go')
  const program = ['sh', '-c', 'echo ready; while [ ! -e go ]; do sleep 0.1; done; exit 3']
  const options = ['--wait-workers', 'all', '--grace', '2s', '--lost-after', '10s']
  const run = cluster.run(['local', '-n', '3', ...options, '--', ...program])
  await run.expectOutput('ready')
  const member = cluster.parentOf(await cluster.expectProcess('dask-hpc-runner worker 2'))
  // Its reaper as well, which would kill it.
  for (const pid of cluster.processes().filter((each) => isWithin(each, member))) kill(pid, 'SIGSTOP')
  await writeFile(cluster.path('go'), '')
  await run.expectStatus(3)
  cluster.signalAll('SIGCONT')
  await cluster.expectNothingLeft()
})

test('a lost rank 0 ends the run with 69 and says so', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run([
    'local',
    '-n',
    '4',
    '--grace',
    '8s',
    '--scheduler-file',
    'f.json',
    '--',
    'python3',
    stubborn,
  ])
  await run.expectOutput('ready')
  const scheduler = await cluster.expectProcess('dask-hpc-runner scheduler')
  process.kill(cluster.parentOf(scheduler), 'SIGKILL')
  await run.expectStatus(69)
  expect(run.stderr).toContain('Lost rank 0')
  await cluster.expectNothingLeft()
})

test('a rank 0 that is killed before there is a cluster ends the run with 69', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--python', join(programs, 'slow-python'), '--', 'echo', 'ran'])
  const python = await cluster.expectProcess('sleep 600; : dask-hpc-runner scheduler')
  process.kill(cluster.parentOf(python), 'SIGKILL')
  await run.expectStatus(69)
  expect(run.stdout).not.toContain('ran')
  await cluster.expectNothingLeft()
})

test.concurrent.each([
  ['its first process is started', ['-n', '3'], 'spawn', 1],
  ['another process of the run is started', ['-n', '3'], 'spawn', 2],
  ["the run's directory is made", ['-n', '3'], 'mkdir .run-', 1],
  ['the directory of its workers is made', ['-n', '1'], 'mkdir dask-hpc-runner-local', 1],
  ['its certificates are made', ['-n', '1', '--secure'], 'mkdir -tls-', 1],
] as const)('a launcher that is killed as soon as %s leaves nothing', async (_, options, effect, times) => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', ...options, '--', 'sleep', '60'], {
    NODE_OPTIONS: `--require ${join(programs, 'killed-after.cjs')}`,
    KILLED_AFTER: `${times} ${effect}`,
  })
  expect((await run.ended).signal).toBe('SIGKILL')
  await cluster.expectNothingLeft()
  const ofNode = existsSync('/dev/shm') ? await readdir('/dev/shm') : []
  expect(ofNode.filter((name) => new RegExp(`-local${run.pid}[0-9a-f]{6}\\.`).test(name))).toEqual([])
})

test('a scheduler that cannot start ends every process with its last words', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--preload', 'import no_such_module', '--', 'true'])
  await run.expectStatus(69)
  const lastLine = "ModuleNotFoundError: No module named 'no_such_module'"
  expect(run.errors()).toEqual([
    `[0 scheduler] error: Cannot start scheduler: Python exited with status 1: ${lastLine}`,
  ])
  expect(run.stderr.split(`[0 scheduler] error: | ${lastLine}`)).toHaveLength(2)
  await cluster.expectNothingLeft()
})

test('an interface that does not exist is an error that lists those that do', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--interface', 'no-such-interface', '--', 'true'])
  await run.expectStatus(64)
  const says = 'error: Cannot use --interface "no-such-interface": this host has lo (127.0.0.1)'
  expect(run.words()).toEqual([
    expect.stringMatching(/^\[0 scheduler\] run local-\S+: 3 processes on /),
    expect.stringContaining(`[0 scheduler] ${says}`),
  ])
  await cluster.expectNothingLeft()
})
