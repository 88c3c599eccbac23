import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { waitForCluster } from '../../src/commands/wait.ts'
import { Cluster, programs } from '../support/cluster.ts'
import { patient, until } from '../support/until.ts'

const waiters = 32
/** Over this time the questions are counted. In milliseconds. */
const period = 3_000

test(`a run and ${waiters} commands that wait for its workers cost the scheduler one question each 100 ms`, async () => {
  await using cluster = await Cluster.make()
  const env = { ASKED: cluster.path('asked'), GO: cluster.path('go') }
  for (const name of ['asked', 'go', 'end']) cluster.expectFile(name)
  const asked = async (): Promise<string[]> => (await readFile(env.ASKED, 'utf8')).split('\n').slice(0, -1)
  const preload = join(programs, 'count_requests.py')
  const untilEnd = 'echo started; while [ ! -e end ]; do sleep 0.1; done'
  const options = ['-n', '4', '--scheduler-file', 'F.json', '--wait-workers', 'all', '--preload', preload, '--verbose']
  const run = cluster.run(['local', ...options, '--', 'sh', '-c', untilEnd], env)
  // A rank 0 that takes seconds to answer, as in a start on a busy machine, is left alone, and the scheduler asked instead.
  await run.expectOutput('starts when 2 workers run')
  const heard = new Array<string>(waiters).fill('')
  const waiting = heard.map(async (_, i) =>
    waitForCluster({
      ...{ target: { path: cluster.path('F.json') }, workers: 'all', timeout: patient },
      signal: new AbortController().signal,
      onProgress: (text) => {
        heard[i] = text
      },
    }),
  )
  await until(
    () => heard,
    (all) => all.every((text) => text.startsWith('0 of 2 workers run')),
    { what: 'all wait', say: (all) => all.join('\n') },
  )

  const [before, began] = [(await asked()).length, performance.now()]
  await sleep(period)
  const inPeriod = (await asked()).slice(before)
  const took = performance.now() - began
  expect(new Set(inPeriod)).toEqual(new Set(['ncores_running']))
  expect(inPeriod.length).toBeGreaterThan(5)
  expect(inPeriod.length).toBeLessThanOrEqual(took / 100 + 1)
  expect(run.stdout).toBe('')

  await writeFile(env.GO, '')
  for (const { running } of await Promise.all(waiting)) expect(running).toBe(2)
  await run.expectOutput('started')
  await writeFile(cluster.path('end'), '')
  await run.expectStatus(0)
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})
