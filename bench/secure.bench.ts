// What `--secure` costs beside a plain run, by turns: the first result, 10,000 small tasks, 1 GB from one worker to another.
import { expect, test } from 'vitest'
import { Cluster } from '../test/support/cluster.ts'
import { note } from './support/results.ts'
import { medianOf, table } from './support/table.ts'

const rounds = 5
const tasks = 10_000

/** What a program measures: `first` since 1970, the others from their own beginning; all in milliseconds. */
interface Lap {
  readonly first: number
  readonly tasks: number
  readonly gigabyte: number
}

/** Random bytes, as Dask may compress what it sends. */
const program = `
import json, os, time
from distributed import Client, wait
def increment(x):
    return x + 1
def make(_):
    return os.urandom(100_000_000)
def measure(*parts):
    return sum(map(len, parts))
with Client() as client:
    assert client.submit(increment, 1).result() == 2
    first = time.time()
    client.wait_for_workers(2)
    client.gather(client.map(increment, range(500), pure=False))
    began = time.perf_counter()
    assert sum(client.gather(client.map(increment, range(${tasks}), pure=False))) == ${(tasks * (tasks + 1)) / 2}
    small = time.perf_counter() - began
    one, other = list(client.scheduler_info()["workers"])
    parts = client.map(make, range(10), pure=False, workers=[one])
    wait(parts)
    began = time.perf_counter()
    assert client.submit(measure, *parts, pure=False, workers=[other]).result() == 1_000_000_000
    gigabyte = time.perf_counter() - began
print(json.dumps({"first": 1000 * first, "tasks": 1000 * small, "gigabyte": 1000 * gigabyte}))
`

test('--secure beside plain', async () => {
  const laps = { plain: [] as Lap[], secure: [] as Lap[] }
  for (let round = 0; round < rounds; round++)
    for (const kind of ['plain', 'secure'] as const) laps[kind].push(await run(kind === 'secure' ? ['--secure'] : []))

  const rows = (['first', 'tasks', 'gigabyte'] as const).map((what) => {
    const plain = laps.plain.map((lap) => lap[what])
    const secure = laps.secure.map((lap) => lap[what])
    return { what, plain, secure, ratio: medianOf(secure) / medianOf(plain) }
  })
  const titles = {
    first: 'From launch to the first result',
    tasks: `${tasks} small tasks by map and gather`,
    gigabyte: '1 GB from one worker to another',
  }
  const text = rows
    .map(
      ({ what, plain, secure, ratio }) =>
        table(`${titles[what]}: milliseconds, ${rounds} rounds by turns`, [
          ['plain', plain],
          ['--secure', secure],
        ]) + `${ratio.toFixed(2)} x plain\n`,
    )
    .join('\n')
  process.stdout.write(text)
  await note('secure', { text, laps })
})

async function run(options: readonly string[]): Promise<Lap> {
  await using cluster = await Cluster.make()
  const launched = Date.now()
  const started = cluster.run(['local', '-n', '4', '--memory-limit', '0', ...options, '--', 'python3', '-c', program])
  await started.expectStatus(0)
  const lap = JSON.parse(started.stdout) as Lap
  expect(lap.first).toBeGreaterThan(launched)
  await cluster.expectNothingLeft()
  return { ...lap, first: lap.first - launched }
}
