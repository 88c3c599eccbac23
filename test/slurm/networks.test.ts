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
