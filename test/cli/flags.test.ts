import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { addRunOptions, type RunFlags, runnerOptions } from '../../src/cli/flags.ts'
import { completeOptions, type RunnerOptions } from '../../src/options.ts'

function parsed(...args: string[]): RunnerOptions {
  const command = addRunOptions(new Command()).exitOverride()
  return runnerOptions(command.parse(args, { from: 'user' }).opts<RunFlags>())
}

describe('the flags of a run', () => {
  it('say nothing beside the defaults when none is given', () => {
    expect(completeOptions(parsed())).toMatchObject(
      completeOptions({ env: process.env, exit: expect.any(Function) as never }),
    )
  })

  it.each<[string, RunnerOptions]>([
    ['--scheduler-file s.json', { schedulerFile: 's.json' }],
    ['--layout shared', { layout: 'shared' }],
    ['--identity task', { identity: 'task' }],
    ['--no-client', { client: false }],
    ['--no-scheduler --scheduler-file s.json', { scheduler: false, schedulerFile: 's.json' }],
    ['--watch poll', { watch: 'poll' }],
    ['--poll-interval 1s', { pollInterval: '1s' }],
    ['--metadata-budget 50', { metadataBudget: 50 }],
    ['--rendezvous-timeout 5m', { rendezvousTimeout: '5m' }],
    ['--grace 20s', { grace: '20s' }],
    ['--python /usr/bin/python3', { python: '/usr/bin/python3' }],
    ['--log-format json', { logFormat: 'json' }],
    ['--keep-mpi-env', { keepMpiEnv: true }],
    ['--nworkers 2', { nworkers: 2 }],
    ['--nthreads 4', { nthreads: 4 }],
    ['--memory-limit 4GiB', { memoryLimit: '4GiB' }],
    ['--local-directory /tmp', { localDirectory: '/tmp' }],
    ['--interface ib0', { interface: 'ib0' }],
    ['--host 10.0.0.1', { host: '10.0.0.1' }],
    ['--protocol tls', { protocol: 'tls' }],
    ['--worker-class a.B', { workerClass: 'a.B' }],
    ['--resources GPU=1', { resources: 'GPU=1' }],
    ['--lifetime 1h', { lifetime: '1h' }],
    ['--death-timeout 60', { deathTimeout: '60' }],
    ['--nanny', { nanny: true }],
    ['--nanny --no-nanny', { nanny: false }],
    ['--dashboard-address :8787', { dashboardAddress: ':8787' }],
    ['--no-dashboard', { dashboard: false }],
    ['--preload a --preload b', { preload: ['a', 'b'] }],
  ])('%s', (flags, options) => {
    expect(parsed(...flags.split(' '))).toMatchObject(options)
  })

  it.each([
    ['--control-port abc', 'Cannot use --control-port "abc"'],
    ['--port 1:x', 'Cannot use --port "1:x"'],
    ['--grace soon', 'Cannot read --grace "soon"'],
    ['--poll-interval 0s', 'Cannot use --poll-interval "0s"'],
    ['--run-id a/b', 'Cannot use --run-id "a/b"'],
    ['--tls-cert c.pem', 'name both --tls-ca-file and --tls-cert'],
    ['--min-workers x', 'Cannot use --min-workers "x"'],
  ])('are named as they are typed where %s is wrong', (flags, message) => {
    const read = () => parsed(...flags.split(' '))
    expect(read).toThrow(RangeError)
    expect(read).toThrow(message)
  })
})
