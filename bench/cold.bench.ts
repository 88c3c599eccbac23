// From the launch to the client's first result with all workers registered, where an import of Dask takes longer without using a
// CPU, as on a parallel filesystem under load; beside the plain shell recipe and the Python runner's way.
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from '../test/support/cluster.ts'
import { compile } from '../test/support/library-program.ts'
import { ours, ourBody, recipe, referenceWay } from './support/peers.ts'
import { type Contender, race } from './support/race.ts'
import { note } from './support/results.ts'
import { medianOf, table } from './support/table.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const delays = [0, 1, 3] as const
/** How many times the time of each other way ours may be, where the import takes 3 s longer. */
const limit = 1.05

const names = {
  ours: 'dask-hpc-runner, a command',
  body: 'dask-hpc-runner, a TypeScript body',
  recipe: 'the shell recipe',
  reference: "the Python runner's way",
}

let made: Cluster
let body: string
beforeAll(async () => {
  made = await Cluster.make()
  body = await compile(made, '../../bench/support/first-result-body')
})
afterAll(async () => {
  await made[Symbol.asyncDispose]()
})

/** Scheduler, client and workers; a shared layout has one worker more for each of the first two processes. */
const shapes = [
  { name: '4 processes, exclusive', size: 4, layout: 'exclusive', workers: 2 },
  { name: '8 processes, exclusive', size: 8, layout: 'exclusive', workers: 6 },
  { name: '2 processes, shared', size: 2, layout: 'shared', workers: 2 },
  { name: '4 processes, shared', size: 4, layout: 'shared', workers: 4 },
  { name: '8 processes, shared', size: 8, layout: 'shared', workers: 8 },
] as const

test.for(shapes)('$name', async ({ name: shape, size, layout, workers }) => {
  const args = ['--workers', `${workers}`]
  const each = Array.from({ length: workers }, (_, i) => `--no-nanny --nthreads 1 --name ${i}`)
  for (const delay of delays) {
    const env = { PYTHONPATH: join(import.meta.dirname, 'support/cold'), COLD_SECONDS: `${delay}` }
    const contenders: readonly Contender[] = [
      ours(names.ours, size, ['--layout', layout], args, env),
      ourBody(names.body, size, [body, layout], env),
      recipe(names.recipe, each, args, env),
      // It knows no other layout.
      ...(layout === 'exclusive' ? [referenceWay(names.reference, size, args, env)] : []),
    ]
    const laps = await race(contenders, rounds)
    const rows = [...laps].map(([name, all]): [string, number[]] => [name, all.map(({ first }) => first)])
    const medians = new Map(rows.map(([name, values]) => [name, medianOf(values)]))
    const ratio = (to: string): number => (medians.get(names.ours) ?? 0) / (medians.get(to) ?? 0)
    const others = rows.map(([name]) => name).filter((name) => name === names.recipe || name === names.reference)
    const title = `${shape}, an import that takes ${delay} s longer: milliseconds, ${rounds} rounds`
    const text = [
      table(`From launch to the first result with all workers: ${title}`, rows),
      ...others.map((name) => `${ratio(name).toFixed(2)} x ${name}\n`),
    ].join('')
    process.stdout.write(text)
    await note(`cold-${size}-${layout}-${delay}`, { text, laps: Object.fromEntries(laps) })
    const isBound = delay === 3 && size <= 4
    if (isBound) for (const name of others) expect.soft(ratio(name), `${title}: ${name}`).toBeLessThanOrEqual(limit)
  }
})
