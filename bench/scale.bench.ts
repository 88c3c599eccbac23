// The gates of jobs of up to 100,000 processes, by simulation: the real watch with a simulated clock and
// directory, and one process that looks for each host; beside loops that ask for the file's name each 0.2 s and 0.1 s.
import { expect, test } from 'vitest'
import { defaults } from '../src/defaults.ts'
import { type Figures, perHost, simulateGates } from '../test/support/simulated-gates.ts'
import { curves } from './support/curves.ts'
import { note } from './support/results.ts'

const sizes = [10, 100, 1_000, 10_000, 16_000, 100_000] as const

test('metadata operations and the last gate, by number of processes', async () => {
  const figures: Figures[] = []
  for (const size of sizes) figures.push(await simulateGates(size))
  const cells = (row: readonly (string | number)[]): string =>
    row.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell).padStart(15)).join('')
  const title = ['processes', 'at start', 'ops/s waiting', 'busiest waiting', 'busiest of all']
  const others = ['half, s', 'last gate, s', 'bound, s', '0.2 s, ops/s', '0.1 s, ops/s']
  const rows = figures.map(({ size, atStart, mean, waiting, peak, median, last, bound }) => {
    const gates = [median / 1000, last / 1000, bound / 1000]
    return cells([String(size), String(atStart), mean, waiting, peak, ...gates, size / 0.2, size / 0.1])
  })
  const text = `${cells([...title, ...others])}\n${rows.join('\n')}\n`
  process.stdout.write(text)
  await note('scale', { text, perHost, budget: defaults.metadataBudget, figures })
  await curves('scale', [
    {
      title: 'metadata operations a second while waiting',
      series: {
        'dask-hpc-runner': figures.map(({ size, mean }) => [size, mean]),
        'a look by each process each 0.2 s': figures.map(({ size }) => [size, size / 0.2]),
        'a look by each process each 0.1 s': figures.map(({ size }) => [size, size / 0.1]),
      },
    },
    {
      title: 'seconds from publication to the last gate',
      series: {
        'dask-hpc-runner': figures.map(({ size, last }) => [size, last / 1000]),
        'a look by each process each 0.2 s': figures.map(({ size }) => [size, 0.2]),
        'a look by each process each 0.1 s': figures.map(({ size }) => [size, 0.1]),
      },
    },
  ])
  for (const { size, mean, last, bound } of figures) {
    expect.soft(mean).toBeLessThanOrEqual(Math.max(defaults.metadataBudget, Math.ceil(size / perHost) / 5))
    expect.soft(last).toBeLessThanOrEqual(bound)
  }
})
