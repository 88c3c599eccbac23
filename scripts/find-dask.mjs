// Finds a Python that has Dask's `distributed`, or gets one. Needs nothing but Node, so that it works
// before the packages are installed. As a program: the Python on standard output, the story on
// standard error; status 1 where there is none.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const venv = join(dirname(fileURLToPath(import.meta.url)), '..', '.cache', 'venv')

// Importing distributed takes a second; asking where it is takes 20 ms. Without an origin it is but a
// folder that happens to have the name.
const question = `
import importlib.util, sys
specs = [importlib.util.find_spec(name) for name in ("dask", "distributed")]
sys.exit(0 if all(spec is not None and spec.origin is not None for spec in specs) else 3)
`

export const howToInstall =
  'install it with "python3 -m pip install distributed" or "apt-get install python3-distributed", ' +
  'or name a Python that has it in DASK_HPC_RUNNER_PYTHON'

/**
 * @typedef {object} RunOptions
 * @property {number} timeout in milliseconds
 * @property {boolean} [quiet] without output; else all of it goes to standard error
 * @property {Record<string, string>} [env] beside the environment of this process
 *
 * What the search asks of the machine; a test passes its own.
 * @typedef {object} Machine
 * @property {Readonly<Record<string, string | undefined>>} env
 * @property {(command: string, args: readonly string[], options: RunOptions) => boolean} run whether it ended with 0
 * @property {(file: string) => boolean} isExecutable
 * @property {() => boolean} isRoot
 * @property {(path: string) => void} remove
 * @property {(message: string) => void} say
 */

/** @type {Machine} */
const thisMachine = {
  env: process.env,
  run(command, args, { timeout, quiet = false, env = {} }) {
    const output = quiet ? 'ignore' : 2
    const result = spawnSync(command, args, {
      cwd: '/', // away from folders that look like Python packages
      env: { ...process.env, ...env },
      stdio: ['ignore', output, output],
      timeout,
      killSignal: 'SIGKILL',
    })
    return result.status === 0
  },
  isExecutable(file) {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  },
  isRoot: () => process.getuid?.() === 0,
  remove: (path) => rmSync(path, { recursive: true, force: true }),
  say: (message) => process.stderr.write(`${message}\n`),
}

/**
 * A Python that has Dask: one that is there, else a virtual environment, else Debian's package.
 *
 * @param {Machine} machine
 * @returns {string} the Python
 * @throws Error where there is none, with what to install
 */
export function findDask(machine = thisMachine) {
  const { env, say } = machine
  const named = env.DASK_HPC_RUNNER_PYTHON
  if (named !== undefined && named !== '') {
    if (!hasDask(machine, named))
      throw new Error(`Cannot use the Python "${named}" of DASK_HPC_RUNNER_PYTHON: it has no Dask; ${howToInstall}`)
    say(`Dask: found in ${named}, as DASK_HPC_RUNNER_PYTHON says`)
    return named
  }
  const candidates = pythons(machine)
  const found = candidates.find((python) => hasDask(machine, python))
  if (found !== undefined) {
    say(`Dask: found in ${found}`)
    return found
  }
  const tried = candidates.length === 0 ? 'there is no python3' : `none of ${candidates.join(', ')} has it`
  if (makeVenv(machine)) {
    say(`Dask: installed into the virtual environment ${venv}, because ${tried}`)
    return join(venv, 'bin/python3')
  }
  if (installPackage(machine)) {
    say(`Dask: installed the Debian package python3-distributed, because ${tried}`)
    return '/usr/bin/python3'
  }
  throw new Error(`Cannot find Dask: ${tried}, and it could not be installed; ${howToInstall}`)
}

/** @param {Machine} machine */
function pythons({ env, isExecutable }) {
  const active = [env.VIRTUAL_ENV, env.CONDA_PREFIX].flatMap((prefix) => (prefix ? [join(prefix, 'bin')] : []))
  const path = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const folders = new Set([...active, ...path, '/usr/bin', join(venv, 'bin')])
  return [...folders].map((folder) => join(folder, 'python3')).filter(isExecutable)
}

/**
 * @param {Machine} machine
 * @param {string} python
 */
function hasDask({ run }, python) {
  return run(python, ['-c', question], { timeout: 20_000, quiet: true })
}

/** @param {Machine} machine */
function makeVenv(machine) {
  const { env, remove, isExecutable, run, say } = machine
  say('Dask: no Python here has it; trying a virtual environment')
  const python = join(venv, 'bin/python3')
  const hasUv = (env.PATH ?? '').split(delimiter).some((folder) => isExecutable(join(folder, 'uv')))
  // 5 s to connect and no retries: where no index answers, the next way is tried soon.
  const uvLimits = { UV_HTTP_TIMEOUT: '5', UV_HTTP_RETRIES: '0' }
  const pipLimits = ['--timeout', '5', '--retries', '0']
  const ways = [
    () =>
      hasUv &&
      run('uv', ['venv', '--quiet', venv], { timeout: 60_000 }) &&
      run('uv', ['pip', 'install', '--quiet', '--python', python, 'distributed'], { timeout: 600_000, env: uvLimits }),
    () =>
      run('python3', ['-m', 'venv', venv], { timeout: 60_000 }) &&
      run(python, ['-m', 'pip', 'install', '--quiet', ...pipLimits, 'distributed'], { timeout: 600_000 }),
  ]
  for (const way of ways) {
    remove(venv)
    if (way() && hasDask(machine, python)) return true
  }
  remove(venv)
  return false
}

/** @param {Machine} machine */
function installPackage(machine) {
  const { isRoot, isExecutable, run, say } = machine
  if (!isRoot() || !isExecutable('/usr/bin/apt-get')) return false
  say('Dask: trying the Debian package python3-distributed')
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const arguments_ = ['install', '-y', '-qq', '--no-install-recommends', 'python3-distributed']
  const install = () => run('apt-get', arguments_, { timeout: 600_000, env })
  // A fresh container has no package lists, and old lists name packages that are gone.
  const installed = install() || (run('apt-get', ['update', '-qq'], { timeout: 300_000 }) && install())
  return installed && hasDask(machine, '/usr/bin/python3')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${findDask()}\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
