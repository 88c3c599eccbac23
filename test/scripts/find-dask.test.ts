import { describe, expect, it } from 'vitest'
import { findDask, howToInstall } from '../../scripts/find-dask.mjs'

interface Fake {
  readonly env?: Record<string, string>
  /** InterpreterPool that have Dask from the start. */
  readonly dask?: readonly string[]
  readonly files?: readonly string[]
  readonly root?: boolean
  /** What a command changes; a command that is not here fails. The key is the start of the command line. */
  readonly commands?: Record<string, (dask: Set<string>) => boolean>
}

function search(fake: Fake): { python: string; said: string; ran: string[] } {
  const dask = new Set(fake.dask)
  const ran: string[] = []
  const said: string[] = []
  const files = fake.files ?? ['/usr/bin/python3', '/usr/bin/apt-get']
  const python = findDask({
    env: { PATH: '/shims:/usr/bin', ...fake.env },
    run(command, args) {
      if (args[0] === '-c') return dask.has(command)
      const line = [command, ...args].join(' ')
      ran.push(line)
      const effect = Object.entries(fake.commands ?? {}).find(([start]) => line.startsWith(start))?.[1]
      return effect?.(dask) ?? false
    },
    isExecutable: (file) => files.includes(file),
    isRoot: () => fake.root ?? false,
    remove: () => undefined,
    say: (message) => said.push(message),
  })
  return { python, said: said.at(-1) ?? '', ran }
}

const aptInstall = 'apt-get install -y -qq --no-install-recommends python3-distributed'
const yes = (): boolean => true

describe('a Python that has Dask', () => {
  const files = ['/env/bin/python3', '/conda/bin/python3', '/shims/python3', '/usr/bin/python3']

  it('is the named one before any other', () => {
    const env = { DASK_HPC_RUNNER_PYTHON: '/my/python', VIRTUAL_ENV: '/env' }
    expect(search({ env, files, dask: ['/my/python', '/env/bin/python3'] }).python).toBe('/my/python')
  })

  it('is the active environment’s before PATH’s', () => {
    const dask = ['/env/bin/python3', '/conda/bin/python3', '/usr/bin/python3']
    expect(search({ env: { VIRTUAL_ENV: '/env', CONDA_PREFIX: '/conda' }, files, dask }).python).toBe(
      '/env/bin/python3',
    )
    expect(search({ env: { CONDA_PREFIX: '/conda' }, files, dask }).python).toBe('/conda/bin/python3')
  })

  it('is the first on PATH that has it, not the first', () => {
    const { python, said, ran } = search({ files, dask: ['/usr/bin/python3'] })
    expect(python).toBe('/usr/bin/python3')
    expect(said).toBe('Dask: found in /usr/bin/python3')
    expect(ran).toEqual([])
  })

  it('is /usr/bin/python3 even where PATH does not lead there', () => {
    expect(search({ env: { PATH: '/shims' }, files, dask: ['/usr/bin/python3'] }).python).toBe('/usr/bin/python3')
  })
})

it('a named Python without Dask is an error, not a reason to take another', () => {
  const env = { DASK_HPC_RUNNER_PYTHON: '/my/python' }
  expect(() => search({ env, dask: ['/usr/bin/python3'] })).toThrow('Cannot use the Python "/my/python"')
})

describe('without Dask', () => {
  const files = ['/usr/bin/python3', '/usr/bin/apt-get']
  const fill = (dask: Set<string>): boolean => {
    dask.add(venvPython)
    return true
  }
  const venvPython = new URL('../../.cache/venv/bin/python3', import.meta.url).pathname

  it('uv makes a virtual environment where there is uv', () => {
    const commands = { 'uv venv': yes, 'uv pip install': fill }
    const { python, said } = search({ files: [...files, '/usr/bin/uv'], commands })
    expect(python).toBe(venvPython)
    expect(said).toContain('virtual environment')
    expect(said).toContain('none of /usr/bin/python3 has it')
  })

  it('pip makes it where there is no uv', () => {
    const { python, ran } = search({ files, commands: { 'python3 -m venv': yes, [`${venvPython} -m pip`]: fill } })
    expect(python).toBe(venvPython)
    expect(ran.filter((line) => line.startsWith('uv'))).toEqual([])
  })

  it('root on Debian installs the package where no index answers', () => {
    const install = (dask: Set<string>): boolean => dask.add('/usr/bin/python3').size > 0
    const commands = { 'python3 -m venv': yes, [aptInstall]: install }
    const { python, said, ran } = search({ files, root: true, commands })
    expect(python).toBe('/usr/bin/python3')
    expect(said).toContain('Debian package python3-distributed')
    expect(ran.at(-1)).toBe(aptInstall)
  })

  it('the package lists are updated where the package is not in them', () => {
    let updated = false
    const commands = {
      'apt-get update': (): boolean => (updated = true),
      [aptInstall]: (dask: Set<string>): boolean => updated && dask.add('/usr/bin/python3').size > 0,
    }
    const { python, ran } = search({ files, root: true, commands })
    expect(python).toBe('/usr/bin/python3')
    expect(ran.slice(-3)).toEqual([aptInstall, 'apt-get update -qq', aptInstall])
  })

  it('a sentence says what to install where nothing helps', () => {
    expect(() => search({ files })).toThrow(`and it could not be installed; ${howToInstall}`)
    expect(() => search({ files: [] })).toThrow('Cannot find Dask: there is no python3')
    expect(() => search({ files, root: true })).toThrow(howToInstall)
  })
})
