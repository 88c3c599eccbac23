// From the moment at which the last of 100 workers runs, by the log of a plain Dask scheduler, to the word of
// `dask-hpc-runner wait`; one waits, or 16 at once. With each Dask that there is.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, programs, type Started } from '../test/support/cluster.ts'
import { startDaskScheduler } from '../test/support/dask.ts'
import { pythons } from '../test/support/pythons.ts'
import { medianOf, table } from './support/table.ts'

const rounds = 5
const workers = 100
/** The limit that the issue states, in milliseconds. */
const limit = 200

/** Prints when the last worker was running for the scheduler, in milliseconds. */
const lastWorker = `
import sys
from distributed import Client
with Client(scheduler_file=sys.argv[1], set_as_default=False) as client:
    events = [each for topic in client.get_events().values() for each in topic if isinstance(each[1], dict)]
    actions = [(time, event.get("action"), event.get("status")) for time, event in events]
    running = [time for time, action, status in actions if action == "worker-status-change" and status == "running"]
    print(max([time for time, action, _ in actions if action == "add-worker"] + running) * 1000)
`

test('the last worker to readiness', async () => {
  const rows: (readonly [string, number[]])[] = []
  for (const [dask, python] of pythons())
    for (const waiters of python === undefined ? [] : [1, 16]) {
      const lags: number[] = []
      for (let round = 0; round < rounds; round++) lags.push(await measure(python ?? '', waiters))
      rows.push([`${dask}, ${waiters} wait${waiters === 1 ? 's' : ''}`, lags])
    }
  process.stdout.write(
    table(`From the last of ${workers} workers that runs to the last that waits, ms, ${rounds} rounds`, rows),
  )
  for (const [name, lags] of rows) expect(medianOf(lags), name).toBeLessThan(limit)
})

/** The time until the last of those that wait knows, in milliseconds. */
async function measure(python: string, waiters: number): Promise<number> {
  await using cluster = await Cluster.make()
  const file = cluster.path('F.json')
  await startDaskScheduler(cluster, file, { python })
  const words = ['--scheduler-file', 'F.json', '--workers', String(workers)]
  const waiting = Array.from({ length: waiters }, () => cluster.run(['wait', ...words]))
  const known = Promise.all(waiting.map(whenReady))
  const started = cluster.start([python, join(programs, 'workers_in_one.py'), 'F.json', String(workers)])
  const times = await known
  const asked = cluster.start([python, '-c', lastWorker, 'F.json'])
  await asked.expectStatus(0)
  await cluster.run(['stop', '--scheduler-file', 'F.json']).expectStatus(0)
  await started.ended
  return Math.max(...times) - Number(asked.stdout)
}

async function whenReady(waiting: Started): Promise<number> {
  await waiting.expectStatus(0)
  return waiting.heardAt(`${workers} workers at`)
}
