import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

// Before its network each host has a link-local address and the bridge of a container runtime, and its own
// name stands for loopback there: with a step that is started on one of them, Slurm names no address.
const decoyTest = slurmTest({ hosts: 3, decoys: true })
const three = ['--nodes=3', '--ntasks=3', '--ntasks-per-node=1']

decoyTest('a step that is started on its first node listens where the others reach it', async ({ work }) => {
  await work.write('both.sh', 'dask-hpc-runner doctor && exec dask-hpc-runner run -- python "$1"\n')
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
  ['an end', [], { DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT: '2s' }, 69, /Worker 2 on node2 exited with status 0: /],
  [
    'a wait for all',
    ['--wait-workers', 'all', '--workers-timeout', '4s'],
    {},
    75,
    /after 4 s not all of the 1 workers/,
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
