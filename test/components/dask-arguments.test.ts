import { describe, expect, it } from 'vitest'
import { schedulerArguments, workerArguments } from '../../src/components/dask-arguments.ts'
import { completeOptions, type DaskOptions, type RunnerOptions } from '../../src/options.ts'

const place = {
  name: '2',
  schedulerAddress: 'tcp://10.0.0.1:8786',
  localDirectory: '/tmp/private',
  host: '10.0.0.2',
  nthreads: 4,
  memoryLimit: '4294967296',
}
const ofScheduler = (options: RunnerOptions = {}): string =>
  schedulerArguments(completeOptions(options), { host: '10.0.0.1', port: 0 }).join(' ')
const ofWorker = (options: RunnerOptions = {}): string => workerArguments(completeOptions(options), place).join(' ')

describe('the arguments of dask scheduler', () => {
  it('are its place, and a free port for the dashboard by default', () => {
    expect(ofScheduler()).toBe('--host 10.0.0.1 --port 0 --dashboard-address :0')
  })

  it('leave every interface to a scheduler without a host', () => {
    const args = schedulerArguments(completeOptions({}), { host: undefined, port: 8786 })
    expect(args.join(' ')).toBe('--port 8786 --dashboard-address :0')
  })

  it('have an address of version 6 in brackets', () => {
    const args = schedulerArguments(completeOptions({}), { host: 'fd00::1', port: 0 })
    expect(args.join(' ')).toBe('--host [fd00::1] --port 0 --dashboard-address :0')
  })

  it.each<[RunnerOptions, string]>([
    [{ protocol: 'ucx' }, '--protocol ucx'],
    [{ dashboard: false }, '--no-dashboard'],
    [{ dashboardAddress: ':8787' }, '--dashboard-address :8787'],
    [{ secure: true }, '--dashboard-address 127.0.0.1:0'],
    [{ preload: ['one.py', 'two'] }, '--preload one.py --preload two'],
    [{ dashboardPrefix: 'dask' }, '--dashboard-prefix /dask'],
    [{ useXheaders: true }, '--use-xheaders true'],
    [{ jupyter: true }, '--jupyter'],
    [{ idleTimeout: '1 hour' }, '--idle-timeout 1 hour'],
  ])('say %j as %s', (options, expected) => {
    expect(ofScheduler(options)).toContain(expected)
  })

  it('end with those of what is preloaded, behind all flags', () => {
    const args = schedulerArguments(completeOptions({ preload: ['x.py'], preloadArgv: `--level 3 'two words'` }), {
      ...{ host: '10.0.0.1', port: 0 },
    })
    expect(args.slice(-4)).toEqual(['--', '--level', '3', 'two words'])
    const ofAWorker = workerArguments(completeOptions({ preload: ['x.py'], preloadArgv: 'a' }), place)
    expect(ofAWorker.slice(-2)).toEqual(['--', 'a'])
    // A site may have them in a variable.
    const ofSite = { preloadArgv: 'a', sources: { preloadArgv: 'DASK_HPC_RUNNER_PRELOAD_ARGV' } }
    expect(ofScheduler(ofSite)).not.toContain('--preload')
    expect(ofScheduler(ofSite)).not.toContain('-- a')
  })

  it('say nothing that is for workers alone', () => {
    const workers = { nthreads: 2, memoryLimit: '1GiB', localDirectory: '/x', workerClass: 'a.B', resources: 'GPU=1' }
    expect(ofScheduler({ ...workers, lifetime: '1h', deathTimeout: '60', nanny: true, nworkers: 3 })).toBe(
      ofScheduler(),
    )
  })
})

describe('the arguments of dask worker', () => {
  it('are the place of the worker and no nanny by default', () => {
    expect(ofWorker()).toBe(
      'tcp://10.0.0.1:8786 --name 2 --no-nanny --host 10.0.0.2 --dashboard-address 10.0.0.2:0 ' +
        '--nthreads 4 --memory-limit 4294967296 --local-directory /tmp/private',
    )
  })

  it('have an address of version 6 in brackets', () => {
    expect(workerArguments(completeOptions({}), { ...place, host: 'fd00::2' }).join(' ')).toContain('--host [fd00::2] ')
  })

  it.each<[DaskOptions, string]>([
    [{ nanny: true }, ' --nanny'],
    [{ workerPort: '9000:9010' }, '--worker-port 9000:9010'],
    [{ nanny: true, nannyPort: '9100:9110' }, '--nanny-port 9100:9110'],
    [{ listenAddress: 'tcp://0.0.0.0:9000' }, '--listen-address tcp://0.0.0.0:9000'],
    [
      { listenAddress: 'tcp://:9000', contactAddress: 'tcp://10.9.9.9:9000' },
      '--listen-address tcp://:9000 --contact-address tcp://10.9.9.9:9000',
    ],
    [{ protocol: 'ucx' }, '--protocol ucx'],
    [{ workerClass: 'my.Worker' }, '--worker-class my.Worker'],
    [{ resources: 'GPU=1 MEM=2e9' }, '--resources GPU=1 MEM=2e9'],
    [{ lifetime: '1 hour' }, '--lifetime 1 hour'],
    [{ deathTimeout: '60' }, '--death-timeout 60'],
    [{ lifetimeStagger: '5 minutes' }, '--lifetime-stagger 5 minutes'],
    [{ nanny: true, lifetimeRestart: true }, '--lifetime-restart'],
    [{ nanny: true, lifetimeRestart: false }, '--no-lifetime-restart'],
    [{ schedulerSni: 'scheduler.example.org' }, '--scheduler-sni scheduler.example.org'],
    [{ nanny: true, preloadNanny: ['one.py', 'two'] }, '--preload-nanny one.py --preload-nanny two'],
    [{ dashboardPrefix: 'dask' }, '--dashboard-prefix /dask'],
    [{ dashboard: false }, '--no-dashboard'],
    [{ preload: ['one.py', 'two'] }, '--preload one.py --preload two'],
  ])('say %j as %s', (options, expected) => {
    expect(ofWorker(options)).toContain(expected)
  })

  it('leave the dashboard address to the scheduler', () => {
    expect(ofWorker({ dashboardAddress: ':8787' })).toContain('--dashboard-address 10.0.0.2:0')
  })

  it.each<[RunnerOptions, string | undefined, string]>([
    [{}, '10.0.0.2', '10.0.0.2:0'],
    [{}, '127.0.0.2', '127.0.0.1:0'],
    [{ secure: true }, '10.0.0.2', '127.0.0.1:0'],
    [{}, undefined, ':0'],
    [{}, '0.0.0.0', ':0'],
    [{}, 'fd00::2', ':0'],
    [{}, 'node2', ':0'],
  ])('with %j have the dashboard of a worker at %s at %s', (options, host, expected) => {
    const args = workerArguments(completeOptions(options), { ...place, host })
    expect(args[args.indexOf('--dashboard-address') + 1]).toBe(expected)
  })

  it('say nothing of a nanny where there is none, though a site has it in a variable', () => {
    const sources = {
      preloadNanny: 'DASK_HPC_RUNNER_PRELOAD_NANNY',
      lifetimeRestart: 'DASK_HPC_RUNNER_LIFETIME_RESTART',
    }
    expect(ofWorker({ preloadNanny: ['x'], lifetimeRestart: true, sources })).toBe(ofWorker())
  })

  it('say nothing that is for the scheduler alone', () => {
    expect(ofWorker({ jupyter: true, useXheaders: true, idleTimeout: '1h' })).toBe(ofWorker())
  })

  it('leave the host to --listen-address', () => {
    expect(ofWorker({ listenAddress: 'tcp://10.0.0.2:9000' })).not.toContain('--host')
  })

  it('give a value with spaces as one argument', () => {
    const args = workerArguments(completeOptions({ resources: 'GPU=1 MEM=2e9' }), place)
    expect(args[args.indexOf('--resources') + 1]).toBe('GPU=1 MEM=2e9')
  })
})
