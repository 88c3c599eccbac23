import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseReport } from '../../src/report/read-report.ts'
import { Cluster, programs } from '../support/cluster.ts'

interface Told {
  /** Whether this client is the only one that the scheduler has. */
  readonly clients: boolean
  readonly workers: Readonly<Record<string, readonly [number, number]>>
  readonly memory: Readonly<Record<string, number>>
  readonly states: Readonly<Record<string, number>>
}

test("a report has the numbers that Dask's own client tells", async () => {
  await using cluster = await Cluster.make()
  for (const name of ['run.json', 'run.html']) cluster.expectFile(name)
  const options = ['--report', 'run.json', '--report', 'run.html', '--nthreads', '2', '--memory-limit', '1GiB']
  const run = cluster.run([
    'local',
    '-n',
    '4',
    ...options,
    '--',
    'python3',
    join(programs, 'busy_and_failing.py'),
    '1',
    '4',
  ])
  await run.expectStatus(0)
  expect(run.stderr).not.toMatch(/ (warn|error): /)
  const told = JSON.parse(/TOLD (.*)/.exec(run.stdout)?.[1] ?? '') as Told
  expect(told.clients).toBe(true)
  const report = parseReport('run.json', await readFile(cluster.path('run.json'), 'utf8'))
  const { ranks, workers_seen, samples } = report.recording ?? expect.fail('there is no recording')
  expect(report).toMatchObject({ status: 0, failure: null, processes: 4, workers: 2 })
  expect(ranks.map(({ roles }) => roles[0])).toEqual(['scheduler', 'client', 'worker', 'worker'])
  for (const { came, ended } of ranks) expect(ended).toBeGreaterThan(came ?? NaN)
  // At the end the scheduler has told once more what the client has heard just before.
  expect(
    Object.fromEntries(workers_seen.map(({ name, threads, memory_limit }) => [name, [threads, memory_limit]])),
  ).toEqual(told.workers)
  for (const { name, memory } of workers_seen) expect(memory).toBeGreaterThanOrEqual((told.memory[name] ?? NaN) * 0.9)
  expect(samples.taken).toBeGreaterThanOrEqual(3)
  const most = (name: string): number => Math.max(...(samples.cluster[name]?.mean ?? []).map(Number))
  expect(told.states).toEqual({ memory: most('tasks_in_memory'), erred: most('tasks_failed') })
  expect([most('ever_finished'), most('ever_failed')]).toEqual([told.states.memory, told.states.erred])
  expect(most('cpu')).toBeGreaterThan(0)
  expect(most('memory_limit')).toBe(2 * 1024 ** 3)
  expect(await readFile(cluster.path('run.html'), 'utf8')).toContain('1 GiB a worker booked, ')
  await cluster.expectNothingLeft()
})
