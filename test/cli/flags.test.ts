import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { addFlags, readOwnOptions, readRun } from '../../src/cli/flags.ts'
import type { RunnerOptions } from '../../src/options.ts'
import { type CommandName, ownTables } from '../../src/options/command-table.ts'

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('DASK_HPC_RUNNER_')) vi.stubEnv(name, '')
})
afterEach(() => {
  vi.unstubAllEnvs()
})

function parsed(name: CommandName, args: readonly string[]): Command {
  return addFlags(new Command(name))
    .exitOverride()
    .parse([...args], { from: 'user' })
}

function run(...args: readonly string[]): RunnerOptions {
  return readRun(parsed('run', args))
}

describe('the options of a run', () => {
  it('are those only that were given, and who gave them', () => {
    expect(run()).toEqual({ sources: {} })
    vi.stubEnv('DASK_HPC_RUNNER_NWORKERS', '2')
    vi.stubEnv('DASK_HPC_RUNNER_DASHBOARD', 'no')
    vi.stubEnv('DASK_HPC_RUNNER_NANNY', 'yes')
    expect(run('--grace', '5s', '--no-scancel', '--no-nanny', '--preload', 'a,b')).toEqual({
      nworkers: 2,
      dashboard: false,
      nanny: false,
      grace: '5s',
      scancel: false,
      preload: ['a,b'],
      sources: {
        nworkers: 'DASK_HPC_RUNNER_NWORKERS',
        dashboard: 'DASK_HPC_RUNNER_DASHBOARD',
        nanny: '--no-nanny',
        grace: '--grace',
        scancel: '--no-scancel',
        preload: '--preload',
      },
    })
  })

  it.each([
    ['--control-port abc', 'Cannot use --control-port "abc"'],
    ['--grace soon', 'Cannot use --grace "soon"'],
    ['--lost-after 5', 'Cannot use --lost-after "5"'],
    ['--run-id a/b', 'Cannot use --run-id "a/b"'],
    ['--tls-cert c.pem', 'name both --tls-ca-file and --tls-cert'],
    ['--no-scheduler', 'Cannot run without a scheduler (--no-scheduler): name the scheduler file'],
  ])('are named as they are typed where %s is wrong', (flags, message) => {
    const read = () => run(...flags.split(' '))
    expect(read).toThrow(RangeError)
    expect(read).toThrow(message)
  })

  it('are named by their variables where these are wrong', () => {
    vi.stubEnv('DASK_HPC_RUNNER_GRACE', 'soon')
    expect(() => run()).toThrow('Cannot use DASK_HPC_RUNNER_GRACE "soon"')
    vi.stubEnv('DASK_HPC_RUNNER_GRACE', '')
    vi.stubEnv('DASK_HPC_RUNNER_CLIENT', 'no')
    expect(() => readRun(parsed('run', []), ['true'])).toThrow('Cannot run "true" with DASK_HPC_RUNNER_CLIENT')
  })

  it('have the client program', () => {
    expect(readRun(parsed('run', []), ['python', 'client.py'])).toEqual({
      command: ['python', 'client.py'],
      sources: {},
    })
    expect(() => readRun(parsed('run', ['--no-client']), ['true'])).toThrow('Cannot run "true" with --no-client')
  })

  it('have the scheduler file of the variable, but not that of the run whose client program this is', () => {
    vi.stubEnv('DASK_HPC_RUNNER_SCHEDULER_FILE', '/x/s.json')
    expect(run().schedulerFile).toBe('/x/s.json')
    vi.stubEnv('DASK_HPC_RUNNER_N_WORKERS', '2')
    expect(run()).not.toHaveProperty('schedulerFile')
    expect(run('--scheduler-file', '/y/s.json').schedulerFile).toBe('/y/s.json')
    expect(run('--no-scheduler')).toMatchObject({ scheduler: false, schedulerFile: '/x/s.json' })
  })
})

describe('the options of a command alone', () => {
  it('have their defaults, or what variables and flags say', () => {
    const read = (...args: readonly string[]) => readOwnOptions(ownTables.wait, parsed('wait', args)).own
    expect(read()).toEqual({ workers: 1, timeout: 300_000 })
    vi.stubEnv('DASK_HPC_RUNNER_WORKERS', 'all')
    vi.stubEnv('DASK_HPC_RUNNER_TIMEOUT', '1m')
    expect(read('--timeout', '2s')).toEqual({ workers: 'all', timeout: 2000 })
    expect(() => read('--timeout', '0s')).toThrow('Cannot use --timeout "0s"')
    vi.stubEnv('DASK_HPC_RUNNER_WORKERS', '0')
    expect(() => read()).toThrow('Cannot use DASK_HPC_RUNNER_WORKERS "0"')
  })
})
