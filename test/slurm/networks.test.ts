import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { debian13Python } from '../support/debian13.ts'
import { python } from '../support/slurm/directory.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

// Before its network each host has a link-local address and the bridge of a container runtime, and its own
// name stands for loopback there: with a step that is started on one of them, Slurm names no address.
const decoyTest = slurmTest({ hosts: 3, decoys: true })
const three = ['--nodes=3', '--ntasks=3', '--ntasks-per-node=1']

decoyTest('a step that is started on its first node listens where the others reach it', async ({ work }) => {
  await work.write('both.sh', 'dask-hpc-runner doctor --timeout 4m && exec dask-hpc-runner run -- python "$1"\n')
  const program = join(programs, 'addresses.py')
  const step = work.start(['srun', ...three, 'sh', 'both.sh', program], {}, 'node0')
  await step.expectStatus(0)
  expect(step.stdout).toMatch(/scheduler tcp:\/\/10\.97\.0\.\d+:\d+\nworker 2 tcp:\/\/10\.97\.0\.\d+:\d+ /)
  expect(step.stdout).toMatch(
    /the scheduler would listen on 10\.97\.0\.\d+ \(eth0\), on the network that the workload manager uses$/m,
  )
  step.expectNoAlarm()
  await work.expectNothingLeft()
})

decoyTest.for([
  ['an end', [], { DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT: '20s' }, 69, /Worker 2 on node2 exited with status 0: /],
  [
    'a wait for all',
    ['--wait-workers', 'all', '--workers-timeout', '40s'],
    {},
    75,
    /after 40 s not all of the 1 workers/,
  ],
] as const)(
  'a worker at an address of which each host has its own is named, at once and as the cause of %s',
  async ([, options, env, status, cause], { work }) => {
    const run = ['dask-hpc-runner', 'run', '--worker-interface', 'docker0', ...options]
    const step = work.start(['srun', ...three, ...run, '--', 'python', join(programs, 'addresses.py')], env)
    await step.expectStatus(status)
    const why =
      /node0 cannot connect to it at tcp:\/\/172\.17\.0\.1:\d+ \(the connection is refused\): .*--interface.*--worker-port/
    expect(step.stderr).toMatch(new RegExp(`warn: worker 2 on node2 is registered at .*, but ${why.source}`))
    expect(step.stderr).toMatch(new RegExp(`error: .*${cause.source}.*${why.source}`))
    await work.expectNothingLeft()
  },
)

const sixTest = slurmTest({ hosts: 3, family: 'IPv6' })
const pythons = [['this machine', python] as const, ['Debian 13', debian13Python()] as const]

for (const [whose, interpreter] of pythons) {
  const given = interpreter === undefined ? sixTest.skip : sixTest
  given(
    `on hosts with addresses of version 6 alone the Dask of ${whose} runs, is waited for, shown and stopped`,
    async ({ work }) => {
      const path = interpreter ?? ''
      await work.write(
        'job.sh',
        `export DASK_HPC_RUNNER_SCHEDULER_FILE=$PWD/F.json
         srun ${three.join(' ')} dask-hpc-runner run --python '${path}' --scheduler-file F.json &
         dask-hpc-runner wait --workers all -- '${path}' '${join(programs, 'addresses.py')}' || exit
         dask-hpc-runner status || exit
         dask-hpc-runner stop || exit
         wait $!`,
      )
      const job = work.start(['bash', 'job.sh'])
      await job.expectStatus(0)
      const address = String.raw`tcp://\[fd00:97::\d\]:\d+`
      expect(job.stdout).toMatch(new RegExp(`^scheduler ${address}\nworker 1 ${address} .*\nworker 2 ${address} `, 'm'))
      expect(job.stdout).toMatch(
        new RegExp(`^scheduler  ${address}, .*\n(.*\n)*workers    2 of 2 run, on 2 hosts`, 'm'),
      )
      expect(job.stdout).toMatch(new RegExp(`^Stopped the scheduler at ${address} and 2 workers`, 'm'))
      job.expectNoAlarm()
      expect(job.output).not.toMatch(/Warning/)
      await work.expectNothingLeft()
    },
  )
}

sixTest(
  'one host with addresses of version 6 alone is a cluster that other hosts reach by --interface',
  async ({ work }) => {
    const program = join(programs, 'addresses.py')
    const step = work.srun(
      ['--nodes=1', '--ntasks=2'],
      ['dask-hpc-runner', 'run', '--interface', 'eth0', '--', 'python', program],
    )
    await step.expectStatus(0)
    expect(step.stdout).toMatch(/^scheduler tcp:\/\/\[fd00:97::2\]:\d+\nworker 0 tcp:\/\/\[fd00:97::2\]:\d+ /)
    await work.expectNothingLeft()
  },
)
