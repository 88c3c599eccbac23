/**
 * A Python of Debian 13, which has another Dask than this machine; undefined where the set-up of the
 * test run has found that it cannot run here, and said why.
 */
export function debian13Python(): string | undefined {
  return process.env.DASK_HPC_RUNNER_TEST_DEBIAN13
}
