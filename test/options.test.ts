import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { completeOptions, type RunnerOptions } from '../src/options.ts'
import { tlsEnvironment } from '../src/util/tls-files.ts'

describe('completeOptions', () => {
  it('fills in every default and freezes the result', () => {
    const options = completeOptions({})
    expect(options).toMatchObject({
      schedulerFile: resolve('scheduler-{job_id}.{step_id}.json'),
      layout: 'exclusive',
      identity: 'auto',
      client: true,
      scheduler: true,
      watch: 'auto',
      metadataBudget: 200,
      rendezvousTimeout: 300_000,
      filesystemTimeout: 25_000,
      grace: 20_000,
      logFormat: 'text',
      keepMpiEnv: false,
      nworkers: 1,
      nanny: false,
      env: process.env,
    })
    expect(Object.isFrozen(options)).toBe(true)
  })

  it('reads durations into milliseconds and makes the path absolute', () => {
    const options = completeOptions({
      schedulerFile: 'out/s.json',
      grace: '5s',
      rendezvousTimeout: 1500,
      pollInterval: '250ms',
    })
    expect(options).toMatchObject({
      schedulerFile: resolve('out/s.json'),
      grace: 5000,
      rendezvousTimeout: 1500,
      pollInterval: 250,
    })
    expect(completeOptions({ schedulerFile: '/x/{job_id}.json' }).schedulerFile).toBe('/x/{job_id}.json')
  })

  it('leaves what it does not know of to Dask', () => {
    const given: RunnerOptions = { memoryLimit: '4GiB', nthreads: 2, preload: ['a', 'b'], dashboard: false }
    expect(completeOptions(given)).toMatchObject(given)
    expect(completeOptions({})).not.toHaveProperty('nthreads')
  })

  it('waits no longer than a timer can hold, instead of not at all', () => {
    // Node fires a longer timer after 1 ms.
    expect(completeOptions({ rendezvousTimeout: '1000h' }).rendezvousTimeout).toBe(2 ** 31 - 1)
  })

  it.each<[string, unknown]>([
    ['layout', 'sharde'],
    ['identity', 'rank'],
    ['watch', ''],
    ['logFormat', 'xml'],
    ['grace', 'soon'],
    ['grace', '0s'],
    ['grace', -1],
    ['rendezvousTimeout', '5'],
    ['rendezvousTimeout', Infinity],
    ['pollInterval', 0],
    ['metadataBudget', 0],
    ['pollInterval', NaN],
    ['nworkers', 0],
    ['nworkers', 1.5],
    ['nworkers', NaN],
    ['nthreads', 0],
    ['nthreads', -2],
  ])('refuses %s %j with a RangeError that names both', (name, value) => {
    const complete = () => completeOptions({ [name]: value })
    expect(complete).toThrow(RangeError)
    expect(complete).toThrow(`${name} "${String(value)}"`)
  })

  it('names an option by the flag or the variable that had it', () => {
    const sources = { layout: '--layout', minWorkers: 'DASK_HPC_RUNNER_MIN_WORKERS' }
    const complete = (options: RunnerOptions) => () => completeOptions({ ...options, sources })
    expect(complete({ layout: 'sharde' as never })).toThrow('Cannot use --layout "sharde": it is one of')
    expect(complete({ minWorkers: -1 })).toThrow('Cannot use DASK_HPC_RUNNER_MIN_WORKERS "-1": it is a whole number')
    expect(complete({ tlsCert: 'c.pem' })).toThrow('name both --tls-ca-file and --tls-cert')
  })

  it.each<[string, RunnerOptions]>([
    ['name both tlsCaFile and tlsCert', { tlsCaFile: 'ca.pem' }],
    ['Cannot use tlsKey alone', { tlsKey: 'k.pem' }],
    ['Cannot use tlsCert with protocol tcp', { tlsCaFile: 'ca.pem', tlsCert: 'c.pem', protocol: 'tcp' }],
    ['Cannot use secure and tlsCert together', { secure: true, tlsCaFile: 'ca.pem', tlsCert: 'c.pem' }],
    ['Cannot use waitWorkers with protocol ws: workers are counted', { waitWorkers: 'all', protocol: 'ws' }],
    ['Cannot use secure with protocol tcp', { secure: true, protocol: 'tcp' }],
    ['write it as tls://', { secure: true, listenAddress: 'tcp://0.0.0.0:9000' }],
    ['Cannot use listenAddress "tcp://0.0.0.0:0": nobody would reach', { listenAddress: 'tcp://0.0.0.0:0' }],
    ['use --interface or --host', { listenAddress: 'tcp://h:0', contactAddress: 'tcp://h:1' }],
    ['Cannot use contactAddress alone', { contactAddress: 'tcp://h:1' }],
    ['Cannot use listenAddress and workerPort', { listenAddress: 'tcp://h:1', workerPort: '9000' }],
    ['Cannot use one listenAddress for 2 workers', { listenAddress: 'tcp://h:1', nworkers: 2 }],
    ['write a range such as 9000:9002', { workerPort: '9000:9001', nworkers: 3 }],
    ['Cannot use nannyPort "9000": the workers have no nanny', { nannyPort: '9000' }],
    ['Cannot use preloadNanny "a,b": the workers have no nanny', { preloadNanny: ['a', 'b'] }],
    ['Cannot use lifetimeRestart "yes": the workers have no nanny', { lifetimeRestart: true }],
    ['Cannot use preloadArgv alone: name preload too', { preloadArgv: '--level 3' }],
    ["Cannot use jupyter with secure: Dask's Jupyter server asks for no password", { jupyter: true, secure: true }],
    ['there is no variable MY_PREFIX; set it', { dashboardLink: '{MY_PREFIX}proxy/{port}', env: {} }],
    ['write a range such as 9000:9001', { nannyPort: '9000', nworkers: 2, nanny: true }],
  ])('refuses what cannot be together: %s', (words, options) => {
    expect(() => completeOptions(options)).toThrow(RangeError)
    expect(() => completeOptions(options)).toThrow(words)
  })

  it.each<RunnerOptions>([
    { listenAddress: 'tcp://:9000' },
    { listenAddress: 'tcp://h:1', contactAddress: 'tcp://h:1' },
    { workerPort: '9000:9002', nworkers: 3 },
    { workerPort: '0', nworkers: 3 },
    { protocol: 'tls', tlsCaFile: '/ca.pem', tlsCert: '/c.pem' },
    // A site's default for those who want nannies.
    { nannyPort: '9000', nworkers: 2, sources: { nannyPort: 'DASK_HPC_RUNNER_NANNY_PORT' } },
  ])('takes what can be: %j', (options) => {
    expect(completeOptions(options)).toMatchObject({ ...options })
  })

  it('speaks TLS where it has files for it, whatever the working directory becomes', () => {
    expect(completeOptions({ tlsCaFile: 'ca.pem', tlsCert: 'c.pem' })).toMatchObject({
      protocol: 'tls',
      tlsCaFile: resolve('ca.pem'),
      tlsCert: resolve('c.pem'),
    })
  })

  it("takes one's own certificates where a site has --secure in a variable", () => {
    const files = { tlsCaFile: '/ca.pem', tlsCert: '/c.pem' }
    const sources = { secure: 'DASK_HPC_RUNNER_SECURE' }
    expect(completeOptions({ secure: true, sources, ...files })).toMatchObject({ secure: false, ...files })
    expect(completeOptions({ secure: true, sources }).secure).toBe(true)
    expect(() => completeOptions({ secure: true, protocol: 'tcp', sources })).toThrow(
      'Cannot use DASK_HPC_RUNNER_SECURE with --protocol tcp: add --no-secure',
    )
  })

  it('speaks TLS within a run that does, unless it is told otherwise', () => {
    const env = tlsEnvironment({ caFile: '/ca.pem', cert: '/c.pem' })
    expect(completeOptions({ env }).protocol).toBe('tls')
    expect(completeOptions({ env, protocol: 'tcp' }).protocol).toBe('tcp')
    expect(completeOptions({ env: { ...env, DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION: 'False' } }).protocol).toBe(
      undefined,
    )
    expect(completeOptions({ env: { DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION: 'True' } }).protocol).toBe(undefined)
  })

  it('refuses an empty path for the scheduler file', () => {
    expect(() => completeOptions({ schedulerFile: '' })).toThrow(
      new RangeError('Cannot use schedulerFile "": it is empty; leave it out, or give it a value'),
    )
  })

  it('refuses to join a cluster that is not named', () => {
    expect(() => completeOptions({ scheduler: false })).toThrow(RangeError)
    expect(() => completeOptions({ scheduler: false })).toThrow('name the scheduler file')
    expect(completeOptions({ scheduler: false, schedulerFile: '/x/s.json' }).scheduler).toBe(false)
  })
})
