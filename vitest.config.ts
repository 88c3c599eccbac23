import { readFile } from 'node:fs/promises'
import { defineConfig, type Plugin } from 'vitest/config'

/** Imports `.py` and `.sh` files as their text, as the build does. */
const textFiles: Plugin = {
  name: 'text-files',
  enforce: 'pre',
  async load(id) {
    if (!/\.(py|sh)$/.test(id)) return null
    return `export default ${JSON.stringify(await readFile(id, 'utf8'))}`
  },
}

const process = ['test/process/**/*.test.ts', 'test/rendezvous/**/*.test.ts']
const cluster = ['test/cluster/**/*.test.ts']
const slurm = ['test/slurm/**/*.test.ts']
const globalSetup = 'scripts/test-setup.mjs'

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [textFiles],
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...process, ...cluster, ...slurm],
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [textFiles],
        test: { name: 'process', include: process, globalSetup, testTimeout: 60_000, sequence: { groupOrder: 1 } },
      },
      {
        plugins: [textFiles],
        test: {
          name: 'cluster',
          include: cluster,
          globalSetup,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // A cluster is many processes; two at once would measure each other.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        plugins: [textFiles],
        test: {
          name: 'slurm',
          include: slurm,
          globalSetup: [globalSetup, 'scripts/slurm-setup.mjs'],
          testTimeout: 300_000,
          hookTimeout: 90_000,
          fileParallelism: false,
          // Slurm counts in minutes: tests that wait for its clock wait together.
          maxConcurrency: 12,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
