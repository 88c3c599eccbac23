// Runs the `main` of a TypeScript file of the test support, on the program as it is now, with a Python that has Dask.
import { build } from './build.mjs'
import { findDask } from './find-dask.mjs'
import { loadTypeScript } from './load-typescript.mjs'

/**
 * @param {string} file path from the repository's root; its `main` takes arguments and gives the exit status
 * @param {() => void} needs finds what else it needs
 */
export async function runCommand(file, needs = () => undefined) {
  try {
    needs()
    process.env.DASK_HPC_RUNNER_TEST_PYTHON ??= findDask()
    await build()
    const { main } = await loadTypeScript(file)
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
