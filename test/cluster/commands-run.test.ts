import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, program, programs, type Started } from '../support/cluster.ts'
import { published } from '../support/dask.ts'

const file = ['--scheduler-file', 'F.json'] as const

function local(cluster: Cluster, ...args: string[]): Started {
  return cluster.run(['local', '-n', '3', ...file, ...args])
}

async function stop(cluster: Cluster): Promise<Started> {
  const stopped = cluster.run(['stop', ...file])
  await stopped.expectStatus(0)
  expect(stopped.stdout).toMatch(/^Stopped the scheduler at tcp:\S+ and 2 workers of run local-\S+/)
  return stopped
}

test('a shell script starts a run without a client, waits for it, uses it twice, and stops it', async () => {
  await using cluster = await Cluster.make()
  const us = `'${process.execPath}' '${program}'`
  const submit = `python3 '${join(programs, 'submit.py')}'`
  const script = `
    export DASK_HPC_RUNNER_SCHEDULER_FILE=$PWD/F.json
    ${us} local -n 3 --scheduler-file F.json &
    ${us} wait --workers all || exit
    ${submit} F.json || exit
    ${us} wait --workers all -- ${submit} || exit
    ${us} stop || exit
    wait $!
  `
  const shell = cluster.start(['bash', '-c', script])
  await shell.expectStatus(0)
  expect(shell.stdout.match(/result 21\n/g)).toHaveLength(2)
  shell.expectNoAlarm()
  await cluster.expectNothingLeft()
})

test('the workers of a run are waited for by many at once', async () => {
  await using cluster = await Cluster.make()
  const waits = Array.from({ length: 6 }, () => cluster.run(['wait', ...file, '--workers', 'all']))
  const run = local(cluster)
  for (const wait of waits) {
    await wait.expectStatus(0)
    expect(wait.stderr).toMatch(/2 workers at tcp:\S+$/m)
  }
  await stop(cluster)
  await run.ended
  await cluster.expectNothingLeft()
})

test('workers of a run that do not come are counted, with those that are there', async () => {
  await using cluster = await Cluster.make()
  const run = local(cluster)
  await cluster.run(['wait', ...file, '--workers', 'all']).expectStatus(0)
  const wait = cluster.run(['wait', ...file, '--workers', '5', '--timeout', '10s'])
  await wait.expectStatus(75)
  expect(wait.stderr).toMatch(
    /Cannot wait longer for 5 workers: after 10 s 3 are missing at tcp:\S+; there are 1 on \S+, 2 on \S+; the run starts 2, rank 0 is on \S+/,
  )
  await stop(cluster)
  await run.ended
  await cluster.expectNothingLeft()
})

test('a run that ends while its workers are waited for ends the wait', async () => {
  await using cluster = await Cluster.make()
  const run = local(cluster, '--', 'sh', '-c', 'until [ -e told ]; do sleep 0.1; done')
  await published(cluster.path('F.json'), run)
  const wait = cluster.run(['wait', ...file, '--workers', '9', '--timeout', '4m'])
  await wait.expectOutput(/ of 9 workers run at tcp:/)
  await writeFile(cluster.path('told'), '')
  await wait.expectStatus(69)
  expect(wait.stderr).toMatch(/Cannot wait for /)
  await run.expectStatus(0)
  cluster.expectFile('told')
  await cluster.expectNothingLeft()
})

test('stop ends the client program of a run first', async () => {
  await using cluster = await Cluster.make()
  const run = local(cluster, '--', 'sh', '-c', "trap 'echo told; exit 5' TERM; echo ready; while :; do sleep 0.1; done")
  await run.expectOutput('ready')
  await cluster.run(['wait', ...file]).expectStatus(0)
  const stopped = cluster.run(['stop', ...file])
  await stopped.expectStatus(0)
  expect(stopped.stdout).toMatch(/ of run local-\S+, which ends with status 5$/m)
  await run.expectStatus(5)
  expect(run.stdout).toBe('ready\ntold\n')
  await cluster.expectNothingLeft()
})

test('stop ends a run whose scheduler does not answer', async () => {
  await using cluster = await Cluster.make()
  const run = local(cluster)
  await cluster.run(['wait', ...file, '--workers', 'all']).expectStatus(0)
  const scheduler = await cluster.expectProcess('dask-hpc-runner scheduler')
  process.kill(scheduler, 'SIGSTOP')
  const stopped = cluster.run(['stop', ...file])
  await stopped.expectStatus(0)
  expect(stopped.stdout).toMatch(/^Stopped the scheduler at tcp:\S+ of run local-\S+/)
  await run.ended
  await cluster.expectNothingLeft()
})
