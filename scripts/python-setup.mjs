// Vitest's global set-up of the tests that need more in the Python of Dask: NumPy, for functions that use it, and Jupyter's
// classic notebook as a client program. Without it these are skipped, and fail in CI.
import { install, succeeds } from './debian.mjs'

const needs = [
  { what: 'NumPy', module: 'numpy', packages: ['python3-numpy'], variable: 'DASK_HPC_RUNNER_TEST_NO_NUMPY' },
  { what: 'Jupyter', module: 'notebook', packages: ['jupyter-notebook'], variable: 'DASK_HPC_RUNNER_TEST_NO_JUPYTER' },
]

export default function setup() {
  const python = process.env.DASK_HPC_RUNNER_TEST_PYTHON
  if (python === undefined) return
  for (const { what, module, packages, variable } of needs) {
    if (has(python, module)) continue
    if (python === '/usr/bin/python3') install(what, packages)
    if (has(python, module)) continue
    const reason = `Cannot test with ${what}: ${python} has none; try "apt-get install ${packages.join(' ')}", or pip`
    if (process.env.CI === 'true') throw new Error(reason)
    console.warn(`${reason}; its tests are skipped`)
    process.env[variable] = reason
  }
}

/** @param {string} python @param {string} module */
function has(python, module) {
  const program = `import importlib.util, sys; sys.exit(importlib.util.find_spec(${JSON.stringify(module)}) is None)`
  return succeeds(python, ['-c', program], 20_000, { quiet: true })
}
