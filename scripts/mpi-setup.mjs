// Vitest's global set-up of the tests under MPI launchers: where there are none, they are skipped, and
// fail in CI.
import { findMpi } from './find-mpi.mjs'

export default function setup() {
  try {
    findMpi()
  } catch (error) {
    if (process.env.CI === 'true') throw error
    const reason = error instanceof Error ? error.message : String(error)
    console.warn(`${reason}; the tests under MPI launchers are skipped`)
    process.env.DASK_HPC_RUNNER_TEST_NO_MPI = reason
  }
}
