// Finds a Python of a given version without a Dask of its own, and gives it that of an unpacked Debian.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { isExecutable, succeeds } from './debian.mjs'
import { cache } from './unpack-debian.mjs'

/**
 * A virtual environment of a Python that is on this machine, whose packages are those of a Debian: what of them was
 * compiled for another Python is done without, as these packages can.
 *
 * @param {string} version such as `3.12`
 * @param {string} system an unpacked Debian, see unpack-debian.mjs
 * @returns {string} the executable
 * @throws Error where there is no such Python, or it cannot import that Dask
 */
export function findPython(version, system) {
  const found = candidates(version).find(isExecutable)
  if (found === undefined)
    throw new Error(`Cannot find Python ${version}: there is no python${version} on PATH, and none that pyenv has made`)
  const directory = join(cache, `python-${version}`)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  if (!succeeds(found, ['-m', 'venv', '--without-pip', directory], 120_000))
    throw new Error(`Cannot use Python ${version}: "${found} -m venv" failed`)
  const packages = join(system, 'usr/lib/python3/dist-packages')
  writeFileSync(join(directory, `lib/python${version}/site-packages/debian.pth`), `${packages}\n`)
  const python = join(directory, 'bin/python3')
  if (!succeeds(python, ['-c', 'import distributed'], 60_000))
    throw new Error(`Cannot use Python ${version}: it cannot import the Dask of ${packages}`)
  return python
}

/** @param {string} version */
function candidates(version) {
  const name = `python${version}`
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const pyenv = join(process.env.PYENV_ROOT || join(homedir(), '.pyenv'), 'versions')
  const made = existsSync(pyenv) ? readdirSync(pyenv).filter((folder) => folder.startsWith(`${version}.`)) : []
  // pyenv's own programs on PATH ask which version is chosen, and refuse the others.
  const places = [...made.map((folder) => join(pyenv, folder, 'bin')), ...path.filter((f) => !f.includes('/shims'))]
  return places.map((folder) => join(folder, name))
}
