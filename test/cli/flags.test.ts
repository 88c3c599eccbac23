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
    '--rank 1',
    '--rank-from A',
    '--size 4',
    '--size-from A',
    '--run-id x',
    '--run-id-from A',
    '--mpi-library none',
    '--runner mpi',
    '--identity task',
    '--no-scancel',
    '--keep-mpi-env',
  ])('are refused by local where they are about a launcher: %s', (flags) => {
    const [flag = ''] = flags.split(' ')
    const message = `Cannot use ${flag} with local, which starts its processes itself: leave it out; -n says how many there are`
    expect(() => readRun(parsed('local', flags.split(' ')))).toThrow(message)
    expect(addFlags(new Command('local')).helpInformation()).not.toMatch(new RegExp(`${flag}\\b`))
    for (const name of ['run', 'plan', 'doctor'] as const)
      expect(addFlags(new Command(name)).helpInformation()).toContain(`${flag} `)
  })

  it('are not read by local from the variables that a site has for its launcher', () => {
    vi.stubEnv('DASK_HPC_RUNNER_GRACE', '5s')
    // Neither is a value that no launcher takes.
    for (const [name, value] of [
      ['RANK_FROM', 'SITE_RANK'],
      ['SIZE', 'none'],
      ['RUNNER', 'mpi'],
      ['MPI_LIBRARY', 'libmpi.so'],
      ['IDENTITY', 'task'],
    ] as const)
      vi.stubEnv(`DASK_HPC_RUNNER_${name}`, value)
    expect(readRun(parsed('local', []))).toEqual({ grace: '5s', sources: { grace: 'DASK_HPC_RUNNER_GRACE' } })
    expect(readOwnOptions(ownTables.local, parsed('local', [])).own).toEqual({ ntasks: 4 })
    expect(() => run()).toThrow('Cannot use DASK_HPC_RUNNER_SIZE "none"')
  })

  it.each([
    ['--control-port abc', 'Cannot use --control-port "abc"'],
    ['--grace soon', 'Cannot use --grace "soon"'],
    ['--lost-after 5', 'Cannot use --lost-after "5"'],
    ['--run-id a/b', 'Cannot use --run-id "a/b"'],
    ['--tls-cert c.pem', 'name both --tls-ca-file and --tls-cert'],
    ['--no-scheduler', 'Cannot run without a scheduler (--no-scheduler): name the scheduler file'],
    ['--nworkers 1000000000', 'Cannot use --nworkers "1000000000": it is a whole number from 1 to 10000'],
    ...['10XB', '1.5', '50%'].map((text) => [`--memory-limit ${text}`, `Cannot use --memory-limit "${text}": `]),
    ['--memory-limit=', 'Cannot use --memory-limit "": it is empty; leave it out, or give it a value'],
    ['--worker-port abc', 'Cannot use --worker-port "abc": write a port as 9000'],
    ['--resources abc', 'Cannot use --resources "abc": "abc" in it is no name with an amount'],
    ['--lifetime abc', 'Cannot use --lifetime "abc": write a length of time as "30 minutes"'],
    ['--lifetime 1ms', 'Cannot use --lifetime "1ms": no worker has started in so short a time'],
    ['--worker-class abc', 'Cannot use --worker-class "abc": write a class with the module'],
    ['--host a/b', 'Cannot use --host "a/b": write a host name or an address'],
    ['--contact-address abc', 'Cannot use --contact-address "abc": write an address with its protocol'],
    ['--listen-address tcp://0.0.0.0:0', 'nobody would reach a worker at port 0; write its port, or use --interface'],
    ['--dashboard-address abc:x', 'Cannot use --dashboard-address "abc:x": write a port as :8787'],
    ['--nanny-port 9000', 'Cannot use --nanny-port "9000": the workers have no nanny'],
    ['--preload=', 'Cannot use --preload "": it is empty'],
    ...['lost-after', 'rendezvous-timeout', 'filesystem-timeout', 'workers-timeout'].map((name) => [
      `--${name} 1ms`,
      `Cannot use --${name} "1ms": nothing works in so short a time; write 1s or more`,
    ]),
    ['--scheduler-file=~bob/s.json', 'Cannot use --scheduler-file "~bob/s.json": only your own home'],
  ] as [string, string][])('are named as they are typed where %s is wrong', (flags, message) => {
    const read = () => run(...flags.split(' '))
    expect(read).toThrow(RangeError)
    expect(read).toThrow(message)
  })

  it('are refused where ~ stands for a home directory that cannot be used', () => {
    vi.stubEnv('HOME', '/tmp/h\nnew')
    expect(() => run('--local-directory', '~/l')).toThrow('the home directory "/tmp/h\\u000anew" has a control')
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
    expect(() => read('--timeout', '0s')).toThrow('Cannot use --timeout "0s": it must be longer than nothing')
    expect(() => read('--timeout', '1ms')).toThrow('nothing works in so short a time; write 100ms or more')
    vi.stubEnv('DASK_HPC_RUNNER_WORKERS', '0')
    expect(() => read()).toThrow('Cannot use DASK_HPC_RUNNER_WORKERS "0"')
  })
})
