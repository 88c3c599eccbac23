import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { published } from '../support/dask.ts'
import { debian13Python } from '../support/debian13.ts'

const python = debian13Python() ?? ''
const onDebian13 = test.skipIf(python === '')
/** The command line of a run whose Dask and whose program are those of Debian 13. */
const local = (options: readonly string[], name: string, ...args: string[]): string[] => [
  ...['local', '--python', python, ...options],
  ...['--', python, join(programs, name), ...args],
]

onDebian13('its processes have this Node, for the JavaScript of tasks', () => {
  const version = `import subprocess; subprocess.run([${JSON.stringify(process.execPath)}, '--version'])`
  expect(execFileSync(python, ['-c', version], { encoding: 'utf8' })).toBe(`${process.version}\n`)
})

onDebian13.for([
  ['exclusive', ['2', '3']],
  ['shared', ['0', '1', '2', '3']],
] as const)('every part of a cluster of layout %s runs the Dask of Debian 13', async ([layout, workers]) => {
  await using cluster = await Cluster.make()
  const run = cluster.run(local(['-n', '4', '--layout', layout], 'versions.py'))
  await run.expectStatus(0)
  const parts = ['client', 'scheduler', ...workers.map((rank) => `worker ${rank}`)]
  expect(run.stdout).toBe(parts.map((part) => `${part} Python 3.13 Dask 2024.12.1\n`).join(''))
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

onDebian13('with --nanny a program sees the workers and computes on one', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(local(['-n', '3', '--nanny'], 'workers.py', '2'))
  await run.expectStatus(0)
  expect(run.stdout).toBe('workers [2]\nresult 21 on 2\n')
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

onDebian13('a program that ends with 3 gives the status 3', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(local(['-n', '3'], 'end.py', '3'))
  await run.expectStatus(3)
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

onDebian13("the scheduler file is Dask's own with one more key, and its own clients and workers use it", async () => {
  await using cluster = await Cluster.make()
  const scheduler = cluster.start([
    ...([python, '-m', 'distributed.cli.dask_scheduler', '--host', '127.0.0.1', '--port', '0'] as const),
    ...['--no-dashboard', '--scheduler-file', cluster.path('G.json')],
  ])
  const ofDask = JSON.parse(await published(cluster.path('G.json'), scheduler)) as Record<string, unknown>
  scheduler.signal('SIGTERM')
  await scheduler.ended

  const run = cluster.run(local(['-n', '3', '--scheduler-file', 'F.json'], 'hold.py', 'go'))
  await run.expectOutput('ready')
  const file = JSON.parse(await readFile(cluster.path('F.json'), 'utf8')) as Record<string, unknown>
  expect(Object.keys(file)).toEqual([...Object.keys(ofDask), 'dask_hpc_runner'])
  expect(file).toMatchObject({ type: 'Scheduler', address: expect.stringMatching(/^tcp:/) as string })

  const worker = cluster.start([
    ...([python, '-m', 'distributed.cli.dask_worker', '--scheduler-file', cluster.path('F.json')] as const),
    ...['--name', 'extra', '--no-nanny', '--nthreads', '1', '--no-dashboard'],
  ])
  const client = cluster.start([python, join(programs, 'names.py'), cluster.path('F.json'), '2'])
  await client.expectStatus(0)
  expect(client.stdout, worker.output).toBe("workers ['2', 'extra']\nresult 21\n")
  await writeFile(cluster.path('go'), '')
  cluster.expectFile('go')
  await run.expectStatus(0)
  run.expectNoAlarm()
  await worker.ended
  await cluster.expectNothingLeft()
})

onDebian13('a run that ends while heartbeats are under way alarms nobody', async () => {
  await using cluster = await Cluster.make()
  const slow = ['-n', '6', '--preload', join(programs, 'slow_heartbeat.py')]
  const run = cluster.run(local(slow, 'hold.py', 'go'))
  await run.expectOutput('ready')
  await run.expectOutput('heartbeats')
  await writeFile(cluster.path('go'), '')
  cluster.expectFile('go')
  await run.expectStatus(0)
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

for (const way of ['the launcher alone', 'every process at once'] as const) {
  onDebian13(`TERM to ${way} reaches the program once, which still computes and ends as it likes`, async () => {
    await using cluster = await Cluster.make()
    const run = cluster.run(local(['-n', '3'], 'signals.py', '1', '7'))
    await run.expectOutput('ready')
    if (way === 'the launcher alone') run.signal('SIGTERM')
    else await cluster.signalAll('SIGTERM')
    await run.expectStatus(7)
    expect(run.stdout).toContain('computed True')
    expect(run.stdout).toContain("counts [('SIGTERM', 1)]")
    run.expectNoAlarm()
    await cluster.expectNothingLeft()
  })
}

onDebian13('a killed scheduler ends the run with 69 and says so', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(local(['-n', '3', '--grace', '8s'], 'stubborn.py'))
  await run.expectOutput('ready')
  await run.expectOutput('cluster at')
  process.kill(await cluster.expectProcess('dask-hpc-runner scheduler'), 'SIGKILL')
  await run.expectStatus(69)
  expect(run.stderr).toMatch(/The scheduler on \S+ was killed by SIGKILL/)
  await cluster.expectNothingLeft()
})

onDebian13('a killed launcher leaves neither process nor file', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(local(['-n', '3'], 'stubborn.py'))
  await run.expectOutput('ready')
  run.signal('SIGKILL')
  await run.ended
  await cluster.expectNothingLeft()
})
