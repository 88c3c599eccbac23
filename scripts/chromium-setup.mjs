// Vitest's global set-up of the tests that open a page: finds a Chromium, or gets it from Debian. Without one these are
// skipped, and fail in CI.
import { delimiter, join } from 'node:path'
import { install, isExecutable } from './debian.mjs'

// The part of Chromium without windows is a third smaller, and needs no GTK.
const packages = ['chromium-headless-shell']
const programs = ['chromium-headless-shell', 'chromium', 'google-chrome']

export default function setup() {
  if (find() === undefined) install('Chromium', packages)
  const found = find()
  if (found !== undefined) {
    process.env.DASK_HPC_RUNNER_TEST_CHROMIUM = found
    return
  }
  const reason = `Cannot test pages without Chromium: try "apt-get install ${packages.join(' ')}"`
  if (process.env.CI === 'true') throw new Error(reason)
  console.warn(`${reason}; their tests are skipped`)
}

function find() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return programs.flatMap((program) => folders.map((folder) => join(folder, program))).find(isExecutable)
}
