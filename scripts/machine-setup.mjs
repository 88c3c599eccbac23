// Vitest's global set-up of the tests that need more of the machine than Dask: where it has not what a project's tests need, these
// are skipped, and fail in CI.
import { findGridEngine, findMpi, findOar, findSlurm } from './find-beds.mjs'
import { findChromium } from './find-chromium.mjs'
import { findDebian13 } from './find-debian13.mjs'

/** @type {Readonly<Record<string, readonly [what: string, find: () => void]>>} */
const needs = {
  DEBIAN13: [
    'the tests with the Dask of Debian 13',
    () => (process.env.DASK_HPC_RUNNER_TEST_DEBIAN13 = findDebian13()),
  ],
  CHROMIUM: ['the tests of pages', () => (process.env.DASK_HPC_RUNNER_TEST_CHROMIUM = findChromium())],
  SLURM: ['the tests under Slurm', findSlurm],
  GRID_ENGINE: ['the tests under Grid Engine', findGridEngine],
  OAR: ['the tests under OAR', findOar],
  MPI: ['the tests under MPI launchers', findMpi],
}

/** @type {Readonly<Record<string, readonly (keyof typeof needs)[]>>} */
const ofProject = {
  process: ['DEBIAN13', 'CHROMIUM'],
  cluster: ['DEBIAN13'],
  slurm: ['DEBIAN13', 'SLURM', 'GRID_ENGINE', 'MPI', 'OAR'],
  mpi: ['DEBIAN13', 'SLURM', 'MPI'],
  bench: ['DEBIAN13', 'SLURM', 'MPI'],
}

/** @param {import('vitest/node').TestProject} project */
export default function setup({ name }) {
  for (const need of ofProject[name] ?? []) {
    const [what, find] = needs[need] ?? []
    try {
      find?.()
    } catch (error) {
      if (process.env.CI === 'true') throw error
      const reason = error instanceof Error ? error.message : String(error)
      console.warn(`${reason}; ${what} are skipped`)
      process.env[`DASK_HPC_RUNNER_TEST_NO_${need}`] = reason
    }
  }
}
