import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

// As most clusters have it: the task of a step is bound to its CPUs, and its variables bind its children's.
const test = slurmTest({ hosts: 3, settings: { TaskPlugin: 'task/affinity' } })

test('srun and the MPI launchers run within the program and within a task', async ({ work }) => {
  const step = work.srun(
    ['--nodes=3', '--ntasks=3'],
    ['dask-hpc-runner', 'run', '--', 'python', join(programs, 'nested_steps.py')],
  )
  await step.expectStatus(0)
  for (const where of ['program', 'task']) {
    expect(step.stdout).toMatch(new RegExp(`^${where} srun 0 \\['node\\d'\\]`, 'm'))
    if (process.env.DASK_HPC_RUNNER_TEST_NO_MPI !== undefined) continue
    for (const launcher of ['openmpi', 'hydra'])
      expect(step.stdout).toMatch(new RegExp(`^${where} ${launcher} 0 \\['node\\d', 'node\\d'\\]`, 'm'))
  }
  await work.expectNothingLeft()
})
