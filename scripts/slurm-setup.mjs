// Vitest's global set-up of the tests under a real Slurm: where it cannot run, they are skipped, and
// fail in CI.
import { findSlurm } from './find-slurm.mjs'

export default function setup() {
  try {
    findSlurm()
  } catch (error) {
    if (process.env.CI === 'true') throw error
    const reason = error instanceof Error ? error.message : String(error)
    console.warn(`${reason}; the tests under Slurm are skipped`)
    process.env.DASK_HPC_RUNNER_TEST_NO_SLURM = reason
  }
}
