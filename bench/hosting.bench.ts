// One process that hosts many workers, from the launch to the client's first result with all of them
// registered, and the memory of everything then; beside `dask worker --nworkers` as Dask starts it, with
// a nanny for each worker.
import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { memoryOf } from './support/memory.ts'
import { ours, recipe } from './support/peers.ts'
import { type Contender, race } from './support/race.ts'
import { note, plot } from './support/results.ts'
import { medianOf, table } from './support/table.ts'

const rounds = 3
const sizes = [8, 16] as const
/** How many times the recipe's time and memory ours may be with 16 workers. */
const limits = { first: 0.35, memory: 0.6 }

const names = { ours: 'dask-hpc-runner', nanny: 'dask-hpc-runner --nanny', recipe: 'dask worker --nworkers (nannies)' }
const measured: { size: number; first: Record<string, number[]> }[] = []

test.for(sizes)('%i workers of one process', async (size) => {
  const client = ['--workers', `${size}`, '--hold', 'hold']
  const memory = new Map<string, number[]>()
  const watched = (contender: Contender): Contender => ({
    ...contender,
    look: async (cluster, started) => {
      const over = new AbortController()
      for (const { closed } of started)
        void closed.then(() => {
          over.abort()
        })
      while (!started.some(({ output }) => /^holds$/m.test(output))) {
        if (over.signal.aborted) return
        await sleep(20)
      }
      const bytes = await memoryOf(cluster.processes())
      memory.set(contender.name, [...(memory.get(contender.name) ?? []), bytes / 1e6])
      await writeFile(cluster.path('hold'), '')
    },
  })
  const contenders = [
    ours(names.ours, 1, ['--nworkers', `${size}`], client),
    ours(names.nanny, 1, ['--nworkers', `${size}`, '--nanny'], client),
    recipe(names.recipe, [`--nworkers ${size} --nthreads 1`], client),
  ]
  const laps = await race(contenders.map(watched), rounds)
  const first = [...laps].map(([name, all]): [string, number[]] => [name, all.map((lap) => lap.first)])
  const times = Object.fromEntries(first)
  const ratio = (of: Readonly<Record<string, number[]>>, name: string): number =>
    medianOf(of[name] ?? []) / medianOf(of[names.recipe] ?? [])
  const bytes = Object.fromEntries(memory)
  const say = (name: string): string =>
    `${name}: ${ratio(times, name).toFixed(2)} x the time, ${ratio(bytes, name).toFixed(2)} x the memory of Dask's own\n`
  const title = `${size} workers of one process`
  const text = [
    table(`${title}, milliseconds from launch to the first result with all registered, ${rounds} rounds`, first),
    table(`${title}, MB of all processes (PSS)`, [...memory]),
    say(names.ours),
    say(names.nanny),
  ].join('')
  process.stdout.write(text)
  measured.push({ size, first: times })
  await note(`hosting-${size}`, { text, laps: Object.fromEntries(laps), memory: bytes })
  await plot('hosting', 'From launch to the first result with all workers, s', measured)
  if (size !== 16) return
  expect.soft(ratio(times, names.ours)).toBeLessThan(limits.first)
  expect.soft(ratio(bytes, names.ours)).toBeLessThan(limits.memory)
})
