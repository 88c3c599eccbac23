// Vitest's global set-up of the tests under a real OAR: where it cannot run, they are skipped, and fail in CI.
import { findOar } from './find-oar.mjs'

export default function setup() {
  try {
    findOar()
  } catch (error) {
    if (process.env.CI === 'true') throw error
    const reason = error instanceof Error ? error.message : String(error)
    console.warn(`${reason}; the tests under OAR are skipped`)
    process.env.DASK_HPC_RUNNER_TEST_NO_OAR = reason
  }
}
