import { readFile } from 'node:fs/promises'
import { defineConfig, type Plugin } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { programText } from './scripts/build.mjs'

/** Imports `.py` and `.sh` files, and whole programs, as their text, as the build does. */
const textFiles: Plugin = {
  name: 'text-files',
  enforce: 'pre',
  async load(id) {
    if (id.endsWith('?program'))
      return `export default ${JSON.stringify((await programText(id.replace('?program', ''))).text)}`
    if (!/\.(py|sh)$/.test(id)) return null
    return `export default ${JSON.stringify(await readFile(id, 'utf8'))}`
  },
}

const processes = ['test/**/*.process.test.ts', 'test/rendezvous/**/*.test.ts']
const cluster = ['test/cluster/**/*.test.ts']
const slurm = ['test/slurm/**/*.test.ts', 'test/gridengine/**/*.test.ts', 'test/oar/**/*.test.ts']
const mpi = ['test/mpi/**/*.test.ts']
const globalSetup = ['scripts/test-setup.mjs', 'scripts/machine-setup.mjs']

/**
 * A test that waits for what happens gives up by itself after four minutes and says what it saw; these limits are for
 * what waits in another way, on a machine that may be many times as slow as usual.
 */
const generous = { testTimeout: 600_000, hookTimeout: 600_000 }

/**
 * The tests of whole runs mostly wait: for deadlines, for Slurm's clock. So three files of them run at once; with four, a machine
 * that is half as fast as others starves the runs until they count as lost.
 */
const wholeRuns = { ...generous, maxWorkers: 3, sequence: { groupOrder: 2 } }

/**
 * The files that take longest, each more than half a minute in CI, in this order: one that begins late is the last to
 * end, and the others have to wait for it.
 */
const longest = [
  'cluster/liveness',
  'mpi/endings',
  'oar/oar',
  'slurm/clock',
  'slurm/faults',
  'cluster/commands-beside',
  'cluster/library',
  'slurm/steps',
  'slurm/endings',
  'mpi/worlds',
  'gridengine/endings',
  'cluster/warm-start',
  'slurm/doctor',
  'slurm/addresses',
  'slurm/networks',
  'cluster/doctor',
  'mpi/slurm',
  'cluster/consumer',
  'slurm/tracking',
  'cluster/no-scheduler',
  'cluster/commands-run',
  'cluster/orphans',
  'cluster/tls',
  'cluster/early-client',
  'cluster/secure',
  'cluster/worker-command',
  'cluster/signals',
  'cluster/hanging-filesystem',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
      return found < 0 ? longest.length : found
    }
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other))
  }
}

// Only `npm run bench` asks for them: a measurement is no test.
const benchmarks =
  process.env.DASK_HPC_RUNNER_BENCH === undefined
    ? []
    : [
        {
          plugins: [textFiles],
          test: {
            name: 'bench',
            include: ['bench/**/*.bench.ts'],
            globalSetup: [...globalSetup, 'scripts/python-setup.mjs', 'scripts/bench-results.mjs'],
            ...generous,
            fileParallelism: false,
          },
        },
      ]

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        plugins: [textFiles],
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          setupFiles: 'test/support/no-effects.ts',
          // A busy machine takes seconds to load what makes certificates.
          testTimeout: 60_000,
          exclude: [...processes, ...cluster, ...slurm, ...mpi],
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [textFiles],
        test: {
          name: 'process',
          include: processes,
          globalSetup,
          ...generous,
          // The checks of the source, which compute, are under way beside these.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins: [textFiles],
        test: {
          name: 'cluster',
          include: cluster,
          globalSetup: [...globalSetup, 'scripts/python-setup.mjs'],
          // A future that is dropped is told from one that is not by the collector alone.
          execArgv: ['--expose-gc'],
          // Each is a run of several processes: with more of them at once all would wait for the cores.
          maxConcurrency: 3,
          ...wholeRuns,
        },
      },
      {
        plugins: [textFiles],
        test: {
          name: 'slurm',
          include: slurm,
          globalSetup,
          // Slurm counts in minutes: tests that wait for its clock wait together, while others run.
          maxConcurrency: 12,
          ...wholeRuns,
        },
      },
      {
        plugins: [textFiles],
        test: {
          name: 'mpi',
          include: mpi,
          globalSetup,
          ...wholeRuns,
        },
      },
      ...benchmarks,
    ],
  },
})
