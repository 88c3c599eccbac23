// Vitest's global set-up of the tests that start the built program: builds it once, and finds Dask
// where scripts/test.sh has not done so.
import { build } from './build.mjs'
import { findDask } from './find-dask.mjs'

const done = Symbol.for('dask-hpc-runner.test-setup')

export default async function setup() {
  const shared = /** @type {Record<symbol, Promise<void> | undefined>} */ (/** @type {unknown} */ (globalThis))
  await (shared[done] ??= once())
}

async function once() {
  if (process.env.DASK_HPC_RUNNER_TEST_BUILT !== 'passed') await build()
  if (process.env.DASK_HPC_RUNNER_TEST_PYTHON === undefined) {
    try {
      process.env.DASK_HPC_RUNNER_TEST_PYTHON = findDask()
    } catch (error) {
      if (process.env.CI === 'true') throw error
      console.warn(error instanceof Error ? error.message : error)
    }
  }
}
