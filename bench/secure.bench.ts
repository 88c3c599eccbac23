// What `--secure` costs beside a plain run, by turns: the first result, 10,000 small tasks, 1 GB from one worker to another.
import { expect, test } from 'vitest'
import { Cluster } from '../test/support/cluster.ts'
import { note } from './support/results.ts'
import { medianOf, table } from './support/table.ts'

const rounds = 2
const tasks = 10_000

/** What is measured: a program prints its milliseconds, `first` the time of its first result since 1970. */
const programs = {
  first: `
    print(1000 * time.time())`,
  tasks: `
    client.wait_for_workers(2)
    client.gather(client.map(increment, range(500), pure=False))
    began = time.perf_counter()
    assert sum(client.gather(client.map(increment, range(${tasks}), pure=False))) == ${(tasks * (tasks + 1)) / 2}
    print(1000 * (time.perf_counter() - began))`,
  gigabyte: `
    client.wait_for_workers(2)
    one, other = list(client.scheduler_info()["workers"])
    parts = client.map(make, range(10), pure=False, workers=[one])
    wait(parts)
    began = time.perf_counter()
    assert client.submit(measure, *parts, pure=False, workers=[other]).result() == 1_000_000_000
    print(1000 * (time.perf_counter() - began))`,
} as const

type Measure = keyof typeof programs

const titles: Readonly<Record<Measure, string>> = {
  first: 'From launch to the first result',
  tasks: `${tasks} small tasks by map and gather`,
  gigabyte: '1 GB from one worker to another',
}

/** Random bytes, as Dask may compress what it sends. */
const beginning = `
import os, time
from distributed import Client, wait
def increment(x):
    return x + 1
def make(_):
    return os.urandom(1_000_000) * 100
def measure(*parts):
    return sum(map(len, parts))
with Client() as client:
    assert client.submit(increment, 1).result() == 2`

test('--secure beside plain', async () => {
  const texts: string[] = []
  const results: Partial<Record<Measure, Readonly<Record<'plain' | 'secure', readonly number[]>>>> = {}
  for (const what of ['first', 'tasks', 'gigabyte'] as const) {
    const plain: number[] = []
    const secure: number[] = []
    for (let round = 0; round < rounds; round++) {
      plain.push(await run(what, []))
      secure.push(await run(what, ['--secure']))
    }
    results[what] = { plain, secure }
    const title = `${titles[what]}: milliseconds, ${rounds} rounds by turns`
    const rows = [['plain', plain] as const, ['--secure', secure] as const]
    texts.push(`${table(title, rows)}${(medianOf(secure) / medianOf(plain)).toFixed(2)} x plain\n`)
    process.stdout.write(`${texts.at(-1) ?? ''}\n`)
  }
  await note('secure', { text: texts.join('\n'), results })
})

async function run(what: Measure, options: readonly string[]): Promise<number> {
  await using cluster = await Cluster.make()
  const launched = Date.now()
  const program = ['python3', '-c', beginning + programs[what]]
  const started = cluster.run(['local', '-n', '4', '--memory-limit', '0', ...options, '--', ...program])
  await started.expectStatus(0)
  const printed = Number(started.stdout)
  expect(printed).toBeGreaterThan(0)
  await cluster.expectNothingLeft()
  return what === 'first' ? printed - launched : printed
}
