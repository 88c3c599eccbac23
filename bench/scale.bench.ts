// The gates of jobs of up to 100,000 processes, by simulation: the real watch with a simulated clock and
// directory, one that looks for each host, and process 0, which tells the hosts over a simulated network;
// beside the same without telling, and loops that ask for the file's name each 0.2 s and 0.1 s.
import { expect, test } from 'vitest'
import { defaults } from '../src/defaults.ts'
import { type Figures, perHost, simulateGates } from '../test/support/simulated-gates.ts'
import { curves } from './support/curves.ts'
import { note } from './support/results.ts'

/** Of the connections one in a hundred takes a second longer, and with `some` one host in a hundred cannot be reached. */
const [all, some] = [
  { lost: 0.01, unreachable: 0 },
  { lost: 0.01, unreachable: 0.01 },
]
const sizes = [10, 100, 1_000, 10_000, 100_000] as const

test('metadata operations and the last gate, by number of processes', async () => {
  const figures: Figures[] = []
  const looking: Figures[] = []
  const partly: Figures[] = []
  for (const size of sizes) {
    figures.push(await simulateGates(size, all))
    looking.push(await simulateGates(size))
    partly.push(await simulateGates(size, some))
  }
  const cells = (row: readonly (string | number)[]): string =>
    row.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell).padStart(15)).join('')
  const title = [
    'processes',
    'at start',
    'ops/s waiting',
    'peak ops/s',
    'hosts told',
    'half, s',
    'last gate, s',
    'bound, s',
  ]
  const others = ['0.2 s, ops/s', '0.1 s, ops/s']
  const table = (name: string, of: readonly Figures[]): string => {
    const rows = of.map(({ size, atStart, mean, peak, told, median, last, bound }) => {
      const gates = [String(told), median / 1000, last / 1000, bound / 1000]
      return cells([String(size), String(atStart), mean, peak, ...gates, size / 0.2, size / 0.1])
    })
    return `${name}\n${cells([...title, ...others])}\n${rows.join('\n')}\n`
  }
  const text =
    table('Told by process 0', figures) +
    table('By looking alone', looking) +
    table('Told by process 0, except for one host in a hundred', partly)
  process.stdout.write(text)
  await note('scale', { text, perHost, budget: defaults.metadataBudget, figures, looking, partly })
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
        'dask-hpc-runner, where no host can be told': looking.map(({ size, last }) => [size, last / 1000]),
        'a look by each process each 0.2 s': figures.map(({ size }) => [size, 0.2]),
        'a look by each process each 0.1 s': figures.map(({ size }) => [size, 0.1]),
      },
    },
  ])
  for (const { peak, last, bound } of [...figures, ...looking, ...partly]) {
    expect.soft(peak).toBeLessThanOrEqual(defaults.metadataBudget)
    expect.soft(last).toBeLessThanOrEqual(bound)
  }
})
