import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cluster, programs } from '../support/cluster.ts'
import { startDaskScheduler } from '../support/dask.ts'
import { pythons } from '../support/pythons.ts'

describe.for(pythons())('with %s', ([, command]) => {
  test.skipIf(command === undefined)("Dask's own clients and workers find the cluster by its file", async () => {
    await using cluster = await Cluster.make()
    const python = command ?? ''
    const path = cluster.path('F.json')
    const hold = ['--', python, join(programs, 'hold.py'), 'go']
    const run = cluster.run(['local', '-n', '3', '--python', python, '--scheduler-file', path, ...hold])
    await run.expectOutput('ready')

    expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600')
    const scheduler = await startDaskScheduler(cluster, cluster.path('G.json'), { python })
    const ofDask = Object.keys(JSON.parse(await readFile(cluster.path('G.json'), 'utf8')) as object)
    scheduler.signal('SIGTERM')
    await scheduler.ended
    const file = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
    expect(Object.keys(file)).toEqual([...ofDask, 'dask_hpc_runner'])
    expect(file).toMatchObject({ type: 'Scheduler', address: expect.stringMatching(/^tcp:/) as string })

    const options = ['--scheduler-file', path, '--name', 'extra', '--no-nanny', '--nthreads', '1', '--no-dashboard']
    const worker = cluster.start([python, '-m', 'distributed.cli.dask_worker', ...options])
    const client = cluster.start([python, join(programs, 'names.py'), path, '2'])
    await client.expectStatus(0)
    expect(client.stdout, worker.output).toBe("workers ['2', 'extra']\nresult 21\n")

    await writeFile(cluster.path('go'), '')
    await run.expectStatus(0)
    expect(run.stdout).toBe('ready\nresult 21\n')
    await worker.ended
    cluster.expectFile('go')
    await cluster.expectNothingLeft()
  })
})
