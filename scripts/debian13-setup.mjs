// Vitest's global set-up of the tests with the Dask of Debian 13: where that cannot run, they are
// skipped, and fail in CI.
import { findDebian13 } from './find-debian13.mjs'

export default function setup() {
  try {
    process.env.DASK_HPC_RUNNER_TEST_DEBIAN13 = findDebian13()
  } catch (error) {
    if (process.env.CI === 'true') throw error
    const reason = error instanceof Error ? error.message : String(error)
    console.warn(`${reason}; the tests with its Dask are skipped`)
  }
}
