// The TypeScript client beside Python's own, on one cluster in the same run; and 100 MB to a worker and back.
import { expect, test } from 'vitest'
import { type Client, py } from '../src/index.ts'
import { ClientCluster } from '../test/support/client.ts'
import { medianOf, table } from './support/table.ts'

const tasks = 10_000
const rounds = 3
const megabytes = 100

/** Does the same with Python's own client, first a part of it for the caches; prints the seconds. */
const peer = `
import sys, time
from distributed import Client
client = Client(sys.argv[1])
def increment(x):
    return x + 1
client.gather(client.map(increment, range(500), pure=False))
started = time.perf_counter()
assert sum(client.gather(client.map(increment, range(${tasks}), pure=False))) == ${(tasks * (tasks + 1)) / 2}
print(time.perf_counter() - started)
`

/** Sends an array of 100 MB to a worker and gets it back; prints what that took here and in the Python process. */
const array = (library: string, address: string): string => `
import { readFileSync } from 'node:fs'
import { Client, py } from ${JSON.stringify(library)}
const client = await Client.connect(${JSON.stringify(address)}, { directToWorkers: true })
const same = { python: py\`lambda x: x\`, javascript: (x) => x }[process.argv[2]]
await client.submit(same, [new Float64Array(1000)]).result()
const children = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim().split(' ')
const helper = children.find((pid) => readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes('dask-hpc-runner\\0client'))
const helperKilobytes = (name) => Number(new RegExp(name + ':\\\\s*(\\\\d+)').exec(readFileSync('/proc/' + helper + '/status', 'utf8'))[1])
globalThis.gc()
const before = process.memoryUsage.rss()
const helperBefore = helperKilobytes('VmRSS')
const sent = new Float64Array(${(megabytes * 1e6) / 8}).map((_, i) => i)
const started = performance.now()
const future = await client.scatter(sent)
const got = await client.submit(same, [future]).result()
const seconds = (performance.now() - started) / 1000
if (got.length !== sent.length || !sent.every((value, i) => value === got[i])) throw new Error('not equal')
const times = (kilobytes) => (kilobytes * 1024) / ${megabytes * 1e6}
console.log(JSON.stringify({
  seconds,
  times: times(process.resourceUsage().maxRSS - before / 1024),
  helperTimes: times(helperKilobytes('VmHWM') - helperBefore),
}))
await client.close()
`

async function rateOf(submit: (client: Client) => Promise<number[]>, client: Client): Promise<number> {
  const started = performance.now()
  const results = await submit(client)
  const seconds = (performance.now() - started) / 1000
  expect(results.reduce((a, b) => a + b)).toBe((tasks * (tasks + 1)) / 2)
  return tasks / seconds
}

/**
 * By default Dask's scheduler gives a worker its next task when that has finished one, and the way between them is
 * what limits small tasks. Without it they come as fast as all can work.
 */
const schedulers = [
  { title: "Dask's default queue", env: {} },
  { title: 'no queue in the scheduler', env: { DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION: 'inf' } },
] as const

for (const { title, env } of schedulers) {
  test(`10,000 small tasks beside the same with the Python client, ${title}`, async () => {
    await using shared = await ClientCluster.startWith(env, 2)
    const { client, cluster } = shared
    const numbers = Array.from({ length: tasks }, (_, i) => i)
    const increment = py<number>`lambda x: x + 1`
    const incrementHere = (x: number): number => x + 1
    // For the caches.
    await client.gather(client.map(increment, numbers.slice(0, 500)))
    await client.gather(client.map(incrementHere, numbers.slice(0, 500)))
    const rates = { python: [] as number[], javascript: [] as number[], peer: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      rates.python.push(await rateOf(async (by) => await by.gather(by.map(increment, numbers)), client))
      const python = cluster.start(['python3', '-c', peer, client.schedulerAddress])
      await python.expectStatus(0)
      rates.peer.push(tasks / Number(python.stdout))
      rates.javascript.push(await rateOf(async (by) => await by.gather(by.map(incrementHere, numbers)), client))
    }
    await shared.end()

    const ratios = (mine: readonly number[]): number[] => mine.map((rate, round) => rate / (rates.peer[round] ?? 0))
    process.stdout.write(
      table(`Tasks a second, ${tasks} small tasks by map and gather, ${title}, ${rounds} rounds`, [
        ["Python's client, Python tasks", rates.peer],
        ['Python tasks', rates.python],
        ['JavaScript tasks', rates.javascript],
      ]) +
        table("Times the rate of Python's client in the same round, in hundredths", [
          ['Python tasks', ratios(rates.python).map((ratio) => 100 * ratio)],
          ['JavaScript tasks', ratios(rates.javascript).map((ratio) => 100 * ratio)],
        ]),
    )
    expect(medianOf(ratios(rates.python))).toBeGreaterThan(0.5)
    expect(medianOf(ratios(rates.javascript))).toBeGreaterThan(0.3)
  })
}

test(`${megabytes} MB as a typed array to a worker and back`, async () => {
  await using shared = await ClientCluster.start(1)
  const library = new URL('../dist/index.js', import.meta.url).href
  const program = array(library, shared.client.schedulerAddress)
  const runs = { python: [] as ArrayRun[], javascript: [] as ArrayRun[] }
  for (let round = 0; round < rounds; round++) {
    for (const language of ['python', 'javascript'] as const) {
      const command = [process.execPath, '--expose-gc', '--input-type=module', '-e', program, 'x', language] as const
      const run = shared.cluster.start(command)
      await run.expectStatus(0)
      runs[language].push(JSON.parse(run.stdout) as ArrayRun)
    }
  }
  await shared.end()

  const row = (language: 'python' | 'javascript', what: string, value: (run: ArrayRun) => number) =>
    [`${language} task: ${what}`, runs[language].map(value)] as const
  process.stdout.write(
    table(
      `${megabytes} MB as a typed array to a worker and back, ${rounds} rounds`,
      (['python', 'javascript'] as const).flatMap((language) => [
        row(language, 'milliseconds', ({ seconds }) => 1000 * seconds),
        row(language, 'hundredths of its size, this process', ({ times }) => 100 * times),
        row(language, 'hundredths of its size, its Python process', ({ helperTimes }) => 100 * helperTimes),
      ]),
    ),
  )
  for (const { times } of [...runs.python, ...runs.javascript]) expect(times).toBeLessThan(3)
})

interface ArrayRun {
  readonly seconds: number
  /** Peak of the memory of the client's process, and of its Python process, in sizes of the array. */
  readonly times: number
  readonly helperTimes: number
}
