import { expect, it } from 'vitest'
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

// What one option alone may be: test/cli/flags.test.ts.
const all: readonly Bad[] = [
  bad('Cannot use --nthreads "0": it is a whole number from 1', ...local('--nthreads', '0')),
  bad('Cannot use --min-workers "9": the run starts 2 workers', ...local('--min-workers', '9')),
  bad('Cannot use --min-workers "9": the run starts 2 workers', 'plan', '-n', '4', '--min-workers', '9'),
  bad('Cannot use --run-id with --runner slurm', 'plan', '--runner', 'slurm', '--run-id', 'x'),
  bad('Cannot use --wait-workers "9": the run starts 2 workers', ...local('--wait-workers', '9')),
  bad('Cannot use --worker-port "9000": the run starts 2 workers on this host', ...local('--worker-port', '9000')),
  ...[['local', '-n', '2'], ['run'], ['wait', '--scheduler-file', 'F']].map((start) =>
    bad('Cannot run "": it is empty; name a program', ...start, '--', '', 'argument'),
  ),
  bad('Cannot use --interval without --follow', 'status', '--scheduler-file', 'F', '--interval', '1s'),
  bad('Cannot use --python with --remove', 'env', '--scheduler-file', 'F', '--remove', '--python'),
  bad('Cannot use --report "--": another option stands where its value should be', ...local('--report')),
  { args: local(), env: { DASK_HPC_RUNNER_GRACE: 'soon' }, says: 'Cannot use DASK_HPC_RUNNER_GRACE "soon": write' },
  { args: ['wait'], env: { DASK_HPC_RUNNER_WORKERS: '0' }, says: 'Cannot use DASK_HPC_RUNNER_WORKERS "0": it is' },
  ...['run', 'plan'].map((name) => ({
    args: [name],
    env: slurmEnvironment('step-4nodes-1task-each-proc1', { SLURM_STEP_NUM_TASKS: '1000000000' }),
    says: 'SLURM_STEP_NUM_TASKS is "1000000000", and a run has up to 1000000',
    status: 78,
  })),
  { args: ['run'], says: 'SLURM_JOB_ID is not set', status: 78 },
]

it('nothing is started, and one sentence says why', async () => {
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
