import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { startDaskScheduler } from '../support/dask.ts'

test("Dask's own clients and workers find the cluster by its file", async () => {
  await using cluster = await Cluster.make()
  const hold = ['--', 'python3', join(programs, 'hold.py'), 'go']
  const run = cluster.run(['local', '-n', '3', '--scheduler-file', 'F.json', ...hold])
  await run.expectOutput('ready')
  const path = cluster.path('F.json')

  expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600')
  const scheduler = await startDaskScheduler(cluster, cluster.path('G.json'))
  const ofDask = Object.keys(JSON.parse(await readFile(cluster.path('G.json'), 'utf8')) as object)
  scheduler.signal('SIGTERM')
  await scheduler.ended
  const file = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  expect(Object.keys(file)).toEqual([...ofDask, 'dask_hpc_runner'])
  expect(file).toMatchObject({ type: 'Scheduler', address: expect.stringMatching(/^tcp:/) as string })

  const worker = cluster.start([
    'python3',
    ...['-m', 'distributed.cli.dask_worker', '--scheduler-file', path, '--name', 'extra'],
    ...['--no-nanny', '--nthreads', '1', '--no-dashboard'],
  ])
  const client = cluster.start(['python3', join(programs, 'names.py'), path, '2'])
  await client.expectStatus(0)
  expect(client.stdout, worker.output).toBe("workers ['2', 'extra']\nresult 21\n")

  await writeFile(cluster.path('go'), '')
  await run.expectStatus(0)
  expect(run.stdout).toBe('ready\nresult 21\n')
  await worker.ended
  cluster.expectFile('go')
  await cluster.expectNothingLeft()
})
