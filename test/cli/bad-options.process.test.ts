import { describe, expect, it } from 'vitest'
import { Cluster } from '../support/cluster.ts'
import { slurmEnvironment } from '../support/environment.ts'

/** A command line that cannot be used, and the sentence that says so. */
interface Bad {
  readonly args: readonly string[]
  readonly says: string
  readonly env?: NodeJS.ProcessEnv
  /** @default 64 */
  readonly status?: number
}

const local = (...args: readonly string[]): readonly string[] => ['local', '-n', '4', ...args, '--', 'touch', 'started']
const bad = (says: string, ...args: readonly string[]): Bad => ({ args, says })

const sizes: readonly Bad[] = [
  bad('Cannot use --ntasks "1000000000": it is a whole number from 1 to 1000000', 'plan', '-n', '1000000000'),
  bad('Cannot use --ntasks "1000000000": it is a whole number from 1 to 10000', 'local', '-n', '1000000000'),
  bad('Cannot use --nworkers "1000000000": it is a whole number', ...local('--nworkers', '1000000000')),
  bad('Cannot use --nthreads "0": it is a whole number from 1', ...local('--nthreads', '0')),
  bad('Cannot use --min-workers "9": the run starts 2 workers', ...local('--min-workers', '9')),
  bad('Cannot use --min-workers "9": the run starts 2 workers', 'plan', '-n', '4', '--min-workers', '9'),
  bad('Cannot use --wait-workers "9": the run starts 2 workers', ...local('--wait-workers', '9')),
  bad('Cannot use --worker-port "9000": the run starts 2 workers on this host', ...local('--worker-port', '9000')),
]

const ofDask: readonly Bad[] = [
  bad('Cannot use --memory-limit "": it is empty; leave it out, or give it a value', ...local('--memory-limit', '')),
  ...['10XB', '1.5', '50%'].map((text) =>
    bad(`Cannot use --memory-limit "${text}": `, ...local('--memory-limit', text)),
  ),
  bad('Cannot use --worker-port "abc": write a port as 9000', ...local('--worker-port', 'abc')),
  bad('Cannot use --resources "abc": "abc" in it is no name with an amount', ...local('--resources', 'abc')),
  bad('Cannot use --lifetime "abc": write a length of time as "30 minutes"', ...local('--lifetime', 'abc')),
  bad('Cannot use --lifetime "1ms": no worker has started in so short a time', ...local('--lifetime', '1ms')),
  bad('Cannot use --death-timeout "0.5": no worker has started', ...local('--death-timeout', '0.5')),
  bad('Cannot use --worker-class "abc": write a class with the module', ...local('--worker-class', 'abc')),
  bad('Cannot use --host "a b": write a host name or an address', ...local('--host', 'a b')),
  bad('Cannot use --contact-address "abc": write an address with its protocol', ...local('--contact-address', 'abc')),
  bad('Cannot use --listen-address "abc": write an address with its protocol', ...local('--listen-address', 'abc')),
  bad(
    'Cannot use --listen-address "tcp://0.0.0.0:0": nobody would reach a worker at port 0; write its port, or use --interface',
    ...local('--listen-address', 'tcp://0.0.0.0:0'),
  ),
  {
    ...bad(
      'Cannot use --local-directory "~/l": the home directory "/tmp/h\\u000anew" has a control',
      ...local('--local-directory', '~/l'),
    ),
    env: { HOME: '/tmp/h\nnew' },
  },
  bad('Cannot use --dashboard-address "abc:x": write a port as :8787', ...local('--dashboard-address', 'abc:x')),
  bad('Cannot use --nanny-port "9000": the workers have no nanny', ...local('--nanny-port', '9000')),
  bad('Cannot use --preload "": it is empty', ...local('--preload', '')),
]

const ours: readonly Bad[] = [
  bad('Cannot use --lost-after "5": write a length of time', ...local('--lost-after', '5')),
  ...['--lost-after', '--rendezvous-timeout', '--filesystem-timeout', '--workers-timeout'].map((flag) =>
    bad(`Cannot use ${flag} "1ms": nothing works in so short a time; write 1s or more`, ...local(flag, '1ms')),
  ),
  bad(
    'Cannot use --timeout "1ms": nothing works in so short a time; write 100ms or more',
    ...['wait', '--scheduler-file', 'F', '--timeout', '1ms'],
  ),
  ...[['local', '-n', '2'], ['run'], ['wait', '--scheduler-file', 'F']].map((start) =>
    bad('Cannot run "": it is empty; name a program', ...start, '--', '', 'argument'),
  ),
  bad('Cannot use --report "--": another option stands where its value should be', ...local('--report')),
  bad('Cannot use --scheduler-file "~bob/s.json": only your own home', ...local('--scheduler-file=~bob/s.json')),
  bad(
    'Cannot use --interval "0s": it must be longer than nothing',
    'status',
    '--scheduler-file',
    'F',
    '--interval',
    '0s',
  ),
  { args: local(), env: { DASK_HPC_RUNNER_GRACE: 'soon' }, says: 'Cannot use DASK_HPC_RUNNER_GRACE "soon": write' },
  { args: ['wait'], env: { DASK_HPC_RUNNER_WORKERS: '0' }, says: 'Cannot use DASK_HPC_RUNNER_WORKERS "0": it is' },
]

const ofTheEnvironment: readonly Bad[] = ['run', 'plan'].map((name) => ({
  args: [name],
  env: slurmEnvironment('step-4nodes-1task-each-proc1', { SLURM_STEP_NUM_TASKS: '1000000000' }),
  says: 'SLURM_STEP_NUM_TASKS is "1000000000", and a run has up to 1000000',
  status: 78,
}))

describe('nothing is started, and one sentence says why', () => {
  it.each<[string, readonly Bad[]]>([
    ['sizes', sizes],
    ["Dask's values", ofDask],
    ['our own', ours],
    ['the environment', ofTheEnvironment],
    ['no run', [{ args: ['run'], says: 'SLURM_JOB_ID is not set', status: 78 }]],
  ])('%s', async (_, all) => {
    await using cluster = await Cluster.make()
    const queue = [...all]
    // As many at a time as make no difference to the machine.
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { args, says, env = {}, status = 64 } = next
        const { PATH: _, ...rest } = env
        const started = cluster.run(args, rest)
        await started.expectStatus(status)
        expect(started.stderr, args.join(' ')).toContain(says)
        expect(
          started.output.split('\n').filter((line) => !/^(---|$)/.test(line)),
          args.join(' '),
        ).toHaveLength(1)
      }
    }
    await Promise.all([lane(), lane()])
    await cluster.expectNothingLeft()
  })
})

it('takes options from variables, and a path in the home directory', async () => {
  await using cluster = await Cluster.make()
  const plan = async (env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<string> => {
    const started = cluster.run(['plan', '-n', '4', ...args], { HOME: '/home/me', ...env })
    await started.expectStatus(0)
    return started.stdout
  }
  const file = { DASK_HPC_RUNNER_SCHEDULER_FILE: '~/s.json', DASK_HPC_RUNNER_LAYOUT: 'shared' }
  expect(await plan(file)).toMatch(/0 .*scheduler, client, worker(.|\n)*scheduler file: \/home\/me\/s\.json\n/)
  expect(await plan(file, '--layout', 'exclusive', '--scheduler-file=~/t.json')).toMatch(
    /0 +\? +scheduler\n(.|\n)*scheduler file: \/home\/me\/t\.json\n/,
  )
  // In the client program of a run that is where its cluster is, and nothing to publish over.
  expect(await plan({ ...file, DASK_HPC_RUNNER_N_WORKERS: '2' })).toContain('scheduler-{job_id}')
  await cluster.expectNothingLeft()
})

it('what is wrong with a command line is printed without control characters', async () => {
  await using cluster = await Cluster.make()
  for (const [word, printed] of [
    ['bad\u001b]0;evil\u0007', "error: unknown command 'bad\\u001b]0;evil\\u0007'"],
    ['--\u009b31m', "error: unknown option '--\\u009b31m'"],
  ] as const) {
    const started = cluster.run([word])
    await started.expectStatus(64)
    expect(started.stderr).toContain(printed)
    expect(started.output).not.toContain(word)
  }
})
