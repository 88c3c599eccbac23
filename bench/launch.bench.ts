// From the launch to the client's first result, to the end of all processes, and from the end of the client
// program to that: one worker to a process, beside the plain shell recipe and the Python runner's way.
import { expect, test } from 'vitest'
import { ours, recipe, referenceWay } from './support/peers.ts'
import { race } from './support/race.ts'
import { Cluster } from '../test/support/cluster.ts'
import { note, plot } from './support/results.ts'
import { medianOf, table } from './support/table.ts'

const rounds = 5
const sizes = [4, 8, 16] as const
/** How many times the recipe's time to the first result ours may be. */
const limits = { 4: 1.15, 8: 1.15, 16: 1.1 }
/** From the end of the client program to that of the last process, in milliseconds. */
const shutdownLimit = 1_000

const names = { ours: 'dask-hpc-runner', recipe: 'the shell recipe', reference: "the Python runner's way" }
const measured: { size: number; first: Record<string, number[]> }[] = []

test.for(sizes)('%i processes with one worker each', async (size) => {
  const workers = Array.from({ length: size - 2 }, (_, i) => `--no-nanny --nthreads 1 --name ${i + 2}`)
  const contenders = [ours(names.ours, size), recipe(names.recipe, workers), referenceWay(names.reference, size)]
  const laps = await race(contenders, rounds)
  const all = ['--workers', `${size - 2}`]
  const whole = await race([ours(names.ours, size, [], all), recipe(names.recipe, workers, all)], rounds)
  const bare = await importing()
  const column = (key: 'first' | 'all' | 'shutdown'): [string, number[]][] =>
    [...laps].map(([name, all]) => [name, all.map((lap) => lap[key])])
  const medians = new Map(column('first').map(([name, values]) => [name, medianOf(values)]))
  const ratio = (to: string): number => (medians.get(names.ours) ?? 0) / (medians.get(to) ?? 0)

  const title = `${size} processes, milliseconds, ${rounds} rounds`
  const text = [
    table(`From launch to the first result: ${title}`, [
      ...column('first'),
      ['one interpreter that imports distributed', bare],
    ]),
    `${ratio(names.recipe).toFixed(2)} x the recipe, ${ratio(names.reference).toFixed(2)} x the Python runner's way\n`,
    table(
      `From launch to the first result once all workers have registered: ${title}`,
      [...whole].map(([name, laps]): [string, number[]] => [name, laps.map(({ first }) => first)]),
    ),
    table(`From launch to the end of all processes: ${title}`, column('all')),
    table(`From the end of the client program to that of all processes: ${title}`, column('shutdown')),
  ].join('\n')
  process.stdout.write(text)
  measured.push({ size, first: Object.fromEntries(column('first')) })
  await note(`launch-${size}`, {
    text,
    laps: Object.fromEntries(laps),
    whole: Object.fromEntries(whole),
    importing: bare,
  })
  await plot('launch', 'From launch to the first result, s', measured)
  expect(medianOf(column('shutdown').find(([name]) => name === names.ours)?.[1] ?? [])).toBeLessThan(shutdownLimit)
  expect.soft(ratio(names.recipe)).toBeLessThan(limits[size])
  expect.soft(ratio(names.reference)).toBeLessThan(1)
})

/** What one Python takes to import Dask, in milliseconds. */
async function importing(): Promise<number[]> {
  await using cluster = await Cluster.make()
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    await cluster.start(['python3', '-c', 'import distributed']).expectStatus(0)
    times.push(performance.now() - began)
  }
  return times
}
