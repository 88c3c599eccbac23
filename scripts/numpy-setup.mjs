// Vitest's global set-up of the tests whose Python functions use NumPy: without it these are skipped, and fail in CI.
import { install, succeeds } from './debian.mjs'

const packages = ['python3-numpy']

export default function setup() {
  const python = process.env.DASK_HPC_RUNNER_TEST_PYTHON
  if (python === undefined || hasNumpy(python)) return
  if (python === '/usr/bin/python3') install('NumPy', packages)
  if (hasNumpy(python)) return
  const reason = `Cannot test with NumPy: ${python} has none; try "apt-get install ${packages.join(' ')}", or pip`
  if (process.env.CI === 'true') throw new Error(reason)
  console.warn(`${reason}; its tests are skipped`)
  process.env.DASK_HPC_RUNNER_TEST_NO_NUMPY = reason
}

/** @param {string} python */
function hasNumpy(python) {
  return succeeds(python, ['-c', 'import numpy'], 20_000, { quiet: true })
}
