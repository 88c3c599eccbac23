import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs, type Started } from '../support/cluster.ts'
import { compile } from '../support/library-program.ts'
import { fourTasks } from '../support/step.ts'

async function start(cluster: Cluster, ...args: string[]): Promise<Started> {
  return cluster.start([process.execPath, await compile(cluster, 'library'), ...args])
}

test('a body that ends gives 0, and no handler stays; close may be called twice', async () => {
  await using cluster = await Cluster.make()
  const run = await start(cluster, 'close-twice')
  await run.expectStatus(0)
  expect(run.stdout).toContain('body ')
  expect(run.stdout).toContain('listeners 0')
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test('a body that throws gives 1 and its error', async () => {
  await using cluster = await Cluster.make()
  const run = await start(cluster, 'throw')
  await run.expectStatus(1)
  expect(run.stderr).toContain('the body throws')
  await cluster.expectNothingLeft()
})

test('a body that calls process.exit(3) gives 3', async () => {
  await using cluster = await Cluster.make()
  const run = await start(cluster, 'exit')
  await run.expectStatus(3)
  expect(run.stdout).toContain('body ')
  await cluster.expectNothingLeft()
})

for (const [ntasks, layout] of [
  ['3', 'exclusive'],
  ['2', 'shared'],
] as const) {
  test(`a body that nobody closes ends the run when it is done, in a run of ${ntasks}`, async () => {
    await using cluster = await Cluster.make()
    const run = await start(cluster, 'forget-and-fail', ntasks, layout)
    await run.expectStatus(4)
    await cluster.expectNothingLeft()
  })

  test(`SIGTERM aborts the runner's signal; the status is 143, in a run of ${ntasks}`, async () => {
    await using cluster = await Cluster.make()
    const run = await start(cluster, 'until-aborted', ntasks, layout)
    await run.expectOutput('body')
    run.signal('SIGTERM')
    await run.expectStatus(143)
    expect(run.stdout).toContain('aborted: InterruptedError: Ended by SIGTERM')
    await cluster.expectNothingLeft()
  })

  test(`SIGTERM while workers are waited for gives 143, and no body begins, in a run of ${ntasks}`, async () => {
    await using cluster = await Cluster.make()
    const run = await start(cluster, 'dispose', ntasks, layout, join(programs, 'hang_in_worker.py'))
    await run.expectOutput('the worker is held up')
    run.signal('SIGTERM')
    await run.expectStatus(143)
    expect(run.stdout).not.toContain('body')
    await cluster.expectNothingLeft()
  })
}

test('SIGTERM to rank 0 alone while workers are waited for gives 143 too', async () => {
  await using cluster = await Cluster.make()
  const run = await start(cluster, 'dispose', '3', 'exclusive', join(programs, 'hang_in_worker.py'))
  await run.expectOutput('the worker is held up')
  process.kill(cluster.parentOf(await cluster.expectProcess('dask-hpc-runner scheduler')), 'SIGTERM')
  await run.expectStatus(143)
  expect(run.stdout).not.toContain('body')
  await cluster.expectNothingLeft()
})

for (const [how, status] of [
  ['dispose', 0],
  ['throw', 1],
  ['exit', 3],
] as const) {
  test(`in a Slurm step whose body ends by ${how} at once, its status ${status} is the step's, whoever has yet to come`, async () => {
    await using cluster = await Cluster.make()
    const program = await compile(cluster, 'library')
    const args = [process.execPath, program, how, '4', 'shared'] as const
    const tasks = fourTasks().map((env) => cluster.start(args, env))
    await Promise.all(tasks.map(async ({ ended }) => ended))
    expect(
      await Promise.all(tasks.map(async ({ ended }) => (await ended).status)),
      tasks.map(({ output }) => output).join('\n'),
    ).toEqual([status, 0, 0, 0])
    expect(tasks[0]?.stdout).toContain('body ')
    if (how === 'throw') expect(tasks[0]?.stderr).toContain('the body throws')
    // Word for those who had not come yet may stay.
    cluster.expectFile('.scheduler-7.0.json.run-*')
    await cluster.expectNothingLeft()
  })
}

test('the hooks of a runner are called in their order, and one that fails ends nothing', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.start([process.execPath, await compile(cluster, 'hooks')])
  await run.expectStatus(0)
  expect(run.stdout).toBe(
    [
      'beforeSchedulerStart',
      'onSchedulerStart true',
      'beforeWorkerStart',
      'beforeClientStart',
      'body 1',
      'onWorkerStart worker 0',
      '',
    ].join('\n'),
  )
  expect(run.stderr).toContain('warn: onWorkerStart of worker 0 failed: this hook fails')
  await cluster.expectNothingLeft()
})

test('a runner for another workload manager says who a process is and where the processes meet', async () => {
  await using cluster = await Cluster.make()
  const program = await compile(cluster, 'own-runner')
  const [zero, one, two] = [0, 1, 2].map((rank) =>
    cluster.start([process.execPath, program], { FOO_RANK: String(rank), FOO_SIZE: '3', FOO_JOB: '7' }),
  )
  for (const run of [zero, one, two]) await run?.expectStatus(0)
  expect([zero?.stdout, one?.stdout, two?.stdout]).toEqual(['', '11\n', ''])
  await cluster.expectNothingLeft()
})

test('a killed body ends the run', async () => {
  await using cluster = await Cluster.make()
  const run = await start(cluster, 'forever')
  await run.expectOutput('body')
  run.signal('SIGKILL')
  expect(await run.ended).toEqual({ status: null, signal: 'SIGKILL' })
  await cluster.expectNothingLeft()
})

test('importing the library starts nothing and installs no handler', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.start([process.execPath, await compile(cluster, 'import-only')])
  await run.expectStatus(0)
  expect(JSON.parse(run.stdout)).toEqual({ unchanged: true, handles: [] })
})
