import { expect, test } from 'vitest'
import { fuzz, fuzzLimits } from './support/fuzz.ts'
import { randomMessage } from './support/messages.ts'
import { Random } from './support/random.ts'
import { recordedExchange } from './support/recorded.ts'

// `npm run fuzz` mutates a million messages; DASK_HPC_RUNNER_FUZZ_SEED repeats a run.
const total = Number(process.env.DASK_HPC_RUNNER_FUZZ ?? 100_000)
const seed = Number(process.env.DASK_HPC_RUNNER_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32))
const count = total / 2

const seeds: readonly (readonly [of: string, messages: (random: Random) => readonly Buffer[]])[] = [
  ['the recorded exchange', () => recordedExchange().map(({ bytes }) => Buffer.from(bytes))],
  ['random messages', (random) => Array.from({ length: 500 }, () => randomMessage(random))],
]

test.for(seeds)(
  `${count} mutations of %s make no error but WireError, and allocate no more than the bound (seed ${seed})`,
  { timeout: 60_000 + total },
  ([, messages]) => {
    const report = fuzz(messages(new Random(seed)), { count, seed })
    const text = `seed ${seed}: ${JSON.stringify(report)}`
    if (process.env.DASK_HPC_RUNNER_FUZZ !== undefined) process.stdout.write(`${text}\n`)
    expect(report.decoded, text).toBeGreaterThan(1000)
    expect(report.refused, text).toBeGreaterThan(1000)
    expect(report.mostBytes, text).toBeLessThan(fuzzLimits.memory + 65_536)
    expect(report.longest, text).toBeLessThan(100)
  },
)
