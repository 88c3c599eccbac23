import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, program, programs } from '../support/cluster.ts'

const workers = join(programs, 'workers.py')

for (const [options, seen, on] of [
  [['-n', '4'], '2, 3', 2],
  [['-n', '4', '--layout', 'shared'], '0, 1, 2, 3', 3],
  [['-n', '2'], '0, 1', 1],
  [['-n', '1'], '0', 0],
  [['-n', '4', '--nanny'], '2, 3', 3],
] as const) {
  test(`a program in a run with ${options.join(' ')} sees the workers ${seen} and computes on rank ${on}`, async () => {
    await using cluster = await Cluster.make()
    const run = cluster.run(['local', ...options, '--', 'python3', workers, String(on)])
    await run.expectStatus(0)
    expect(run.stdout).toBe(`workers [${seen}]\nresult 21 on ${on}\n`)
    expect(run.stderr).not.toContain('no client has connected')
    run.expectNoAlarm()
    await cluster.expectNothingLeft()
  })
}

test('several workers of one process have its rank and a number', async () => {
  await using cluster = await Cluster.make()
  const options = ['-n', '3', '--nworkers', '2', '--wait-workers', 'all', '--dask-log-level', 'info']
  const run = cluster.run(['local', ...options, '--', 'python3', join(programs, 'submit.py')])
  await run.expectOutput(/name: 2-0(.|\n)*name: 2-1|name: 2-1(.|\n)*name: 2-0/)
  await run.expectStatus(0)
  await cluster.expectNothingLeft()
})

test('a program that ends while the workers start leaves no traceback', async () => {
  await using cluster = await Cluster.make()
  for (const seconds of ['0.5', '0.8']) {
    const run = cluster.run(['local', '-n', '3', '--', 'sleep', seconds])
    await run.expectStatus(0)
    run.expectNoAlarm()
  }
  await cluster.expectNothingLeft()
})

test.for(['2>/dev/full', '2> >(head -1 >/dev/null)'])(
  'output that cannot be written (%s) ends no run',
  async (where) => {
    await using cluster = await Cluster.make()
    const command = `'${process.execPath}' '${program}' local -n 3 -- sh -c 'sleep 1; exit 5' ${where}`
    const run = cluster.start(['bash', '-c', command])
    await run.expectStatus(5)
    await cluster.expectNothingLeft()
  },
)

test('a directory for temporary files that cannot be used is named', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--', 'sleep', '60'], { TMPDIR: '/proc/nope' })
  await run.expectStatus(78)
  expect(run.stderr).toMatch(/Cannot make a directory for the workers of \S+ in "\/proc\/nope": .*set TMPDIR/)
  await cluster.expectNothingLeft()
})

test('a copy of the program alone makes a cluster: all that it sends elsewhere is in it', async () => {
  await using cluster = await Cluster.make()
  cluster.expectFile('copy.cjs')
  await copyFile(program, cluster.path('copy.cjs'))
  const client = 'from distributed import Client; print("sum", Client().submit(sum, [1, 2]).result())'
  const started = cluster.start([process.execPath, 'copy.cjs', 'local', '-n', '2', '--', 'python3', '-c', client])
  await started.expectStatus(0)
  expect(started.stdout).toMatch(/^sum 3$/m)
  started.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test('a run within the client program of a run is one of its own', async () => {
  await using cluster = await Cluster.make()
  const nested = [process.execPath, program, 'local', '-n', '1', '--', 'printenv', 'DASK_HPC_RUNNER_SCHEDULER_FILE']
  const run = cluster.run(['local', '-n', '1', '--scheduler-file', 'outer.json', '--', ...nested])
  await run.expectStatus(0)
  expect(run.stdout).toMatch(/scheduler-local\w+\.0\.json\n$/)
  await cluster.expectNothingLeft()
})
