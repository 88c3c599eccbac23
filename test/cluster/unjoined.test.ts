import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recordOf } from '../control/support.ts'
import type { ClusterRecord } from '../../src/record/cluster-record.ts'
import { Cluster, program, programs } from '../support/cluster.ts'
import { closedPort, connectionsTo } from '../support/connections.ts'
import { fourTasks, startTasks } from '../support/step.ts'
import { until } from '../support/until.ts'

// What the client's process does with the step and the run's directory where it has not joined rank 0. The
// `scancel` of these tests notes what it is told.
const directory = '.F.json.run-sim-7.0-r0'
const args = ['--scheduler-file', 'F.json', '--rendezvous-timeout', '2s', '--', 'true']

/** Puts a `scancel` in the PATH that also does `work`, a line of shell. */
async function fakeScancel(cluster: Cluster, work = ':'): Promise<void> {
  const path = join(cluster.directory, 'bin/scancel')
  await writeFile(path, `#!/bin/sh\necho "$*" >>'${cluster.directory}/told'\n${work}\n`)
  await chmod(path, 0o755)
}

async function toldScancel(cluster: Cluster): Promise<string> {
  return await readFile(join(cluster.directory, 'told'), 'utf8').catch(() => '')
}

test.concurrent('where rank 0 was killed before its first word, the step is woken, and nothing is left', async () => {
  await using cluster = await Cluster.make()
  // So Slurm answers where a task of the step has ended, when it has woken the others.
  await fakeScancel(
    cluster,
    'echo "scancel: error: Kill job error on job step id 7.0: Invalid job id specified" >&2; exit 1',
  )
  await mkdir(cluster.path(directory), { mode: 0o700 })
  const tasks = startTasks(cluster, fourTasks().slice(1), args)
  for (const task of tasks) await task.expectStatus(75)
  // All find out the same at once: the first of them tells it.
  expect(tasks.flatMap((task) => task.errors())).toEqual([expect.stringContaining('waited 2 s for rank 0')])
  expect(tasks.map(({ stderr }) => stderr).join('')).not.toContain('Slurm')
  expect(await toldScancel(cluster)).toBe('--signal=CONT 7.0\n')
  await cluster.expectNothingLeft()
})

// Vitest's own `onTestFinished` would take one of the tests beside for this one.
test.concurrent('a rank 0 that cannot listen tells the others why, and nothing is left', async ({ onTestFinished }) => {
  await using cluster = await Cluster.make()
  const taken = createServer().listen(0)
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const port = String((taken.address() as AddressInfo).port)
  const own = ['--control-port', port, '--scheduler-file', 'F.json', '--', 'true']
  const why = `error: Cannot use --control-port "${port}": something listens on port ${port} already\n`
  for (const [rank, task] of startTasks(cluster, fourTasks(), own).entries()) {
    await task.expectStatus(69)
    if (rank === 0) expect(task.stderr).toContain(why)
    else expect(task.words()).toEqual([])
  }
  await cluster.expectNothingLeft()
})

test.concurrent('where rank 0 publishes when it is woken, its word stays', async () => {
  await using cluster = await Cluster.make()
  await fakeScancel(cluster, `touch ${directory}/coordinator.json`)
  const [client] = startTasks(cluster, fourTasks().slice(1, 2), args)
  await client?.expectStatus(75)
  expect(await readdir(cluster.path(directory))).toContain('coordinator.json')
  cluster.expectFile(directory)
  await cluster.expectNothingLeft()
})

test.concurrent('a rank 0 that was stopped before its first word is woken, and finds the others gone', async () => {
  await using cluster = await Cluster.make()
  await fakeScancel(cluster, `kill -CONT $(cat '${cluster.directory}/stopped')`)
  const [zero, ...others] = fourTasks()
  const stops = `echo $$ >'${cluster.directory}/stopped'; kill -STOP $$; exec "$@"`
  const { execPath } = process
  const stopped = cluster.start(['/bin/sh', '-c', stops, 'sh', execPath, program, 'run', ...args], zero)
  await present(cluster.directory, 'stopped')
  const tasks = [...startTasks(cluster, others, args), stopped]
  for (const task of tasks) await task.expectStatus(75)
  const all = tasks.map(({ stderr }) => stderr).join('')
  expect(all.match(/error: .*waited 2 s for rank 0/g), all).toHaveLength(1)
  await cluster.expectNothingLeft()
})

test.concurrent('the step of a rank 0 that published and does not answer is ended', async () => {
  await using cluster = await Cluster.make()
  await fakeScancel(cluster)
  await publishDead(cluster)
  const [client] = startTasks(cluster, fourTasks().slice(1, 2), ['--lost-after', '2s', ...args])
  await client?.expectStatus(69)
  expect(client?.stderr).toMatch(/rank 0 may still hold the step: scancel 7\.0 has Slurm end it/)
  expect(await toldScancel(cluster)).toBe('7.0\n')
  await cluster.expectNothingLeft()
})

test.concurrent('the step of a rank 0 that has read our last word and ended the run is spared', async () => {
  await using cluster = await Cluster.make()
  await fakeScancel(cluster)
  await publishDead(cluster)
  const [client] = startTasks(cluster, fourTasks().slice(1, 2), ['--lost-after', '20s', ...args])
  await present(cluster.path(directory), 'exited-1.json')
  await writeFile(cluster.path(`${directory}/outcome.json`), JSON.stringify({ version: 1, run_key: 'sim-7.0-r0' }))
  await client?.expectStatus(69)
  expect(await toldScancel(cluster)).toBe('')
  expect(await readdir(cluster.path(directory))).toContain('outcome.json')
  cluster.expectFile(directory)
  await cluster.expectNothingLeft()
})

test.concurrent('the step is left to the signal that comes before it is released', async () => {
  await using cluster = await Cluster.make()
  await fakeScancel(cluster)
  await publishDead(cluster)
  const [client] = startTasks(cluster, fourTasks().slice(1, 2), ['--lost-after', '20s', ...args])
  await client?.expectOutput('error: Cannot join rank 0')
  client?.signal('SIGTERM')
  await client?.expectStatus(69)
  expect(await toldScancel(cluster)).toBe('')
  cluster.expectFile(directory)
  await cluster.expectNothingLeft()
})

test.concurrent(
  'a rank 0 that is stopped while others connect to it, again and again, takes them in when it wakes',
  async () => {
    await using cluster = await Cluster.make()
    const [zero, ...others] = fourTasks()
    const both = ['--scheduler-file', 'F.json', '--lost-after', '100s', '--', 'python3', join(programs, 'submit.py')]
    const stopped = cluster.run(['run', ...both], zero)
    await present(cluster.work, directory)
    await present(cluster.path(directory), 'coordinator.json')
    stopped.signal('SIGSTOP')
    const record = JSON.parse(await readFile(cluster.path(`${directory}/coordinator.json`), 'utf8')) as ClusterRecord
    const tasks = startTasks(cluster, others, both)
    await until(
      async () => await connectionsTo(record.control.port),
      (count) => count >= 2 * others.length,
      { what: 'each has connected twice', say: String },
    )
    stopped.signal('SIGCONT')
    for (const task of [stopped, ...tasks]) await task.expectStatus(0)
    // The client's process tells it for all.
    const asking = tasks.map(({ stderr }) => stderr.includes('it does not answer; asking again'))
    expect(asking).toEqual([true, false, false])
    await cluster.expectNothingLeft()
  },
)

/** Where rank 0 would be, if anything listened there. */
async function publishDead(cluster: Cluster): Promise<void> {
  await mkdir(cluster.path(directory), { mode: 0o700 })
  await writeFile(cluster.path(`${directory}/coordinator.json`), JSON.stringify(await recordOf(closedPort)))
}

async function present(path: string, name: string): Promise<void> {
  await until(
    async () => await readdir(path),
    (names) => names.includes(name),
    { what: `"${name}" is in "${path}"`, say: (names) => names.join('\n') },
  )
}
