// Finds a Chromium, for the tests that open a page, or gets it from Debian.
import { delimiter, join } from 'node:path'
import { install, isExecutable } from './debian.mjs'

// The part of Chromium without windows is a third smaller, and needs no GTK.
const packages = ['chromium-headless-shell']
const programs = ['chromium-headless-shell', 'chromium', 'google-chrome']

/**
 * The path of its program.
 *
 * @throws Error where there is none, with what to do
 */
export function findChromium() {
  if (find() === undefined) install('Chromium', packages)
  const found = find()
  if (found === undefined)
    throw new Error(`Cannot test pages without Chromium: try "apt-get install ${packages.join(' ')}"`)
  return found
}

function find() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return programs.flatMap((program) => folders.map((folder) => join(folder, program))).find(isExecutable)
}
