// Vitest's global set-up of the tests under a real Grid Engine: where it cannot run, they are skipped, and fail in CI.
import { findGridEngine } from './find-gridengine.mjs'

export default function setup() {
  try {
    findGridEngine()
  } catch (error) {
    if (process.env.CI === 'true') throw error
    const reason = error instanceof Error ? error.message : String(error)
    console.warn(`${reason}; the tests under Grid Engine are skipped`)
    process.env.DASK_HPC_RUNNER_TEST_NO_GRID_ENGINE = reason
  }
}
