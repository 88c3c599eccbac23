import { join } from 'node:path'
import { programs } from '../support/cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

const test = slurmTest({
  hosts: 4,
  settings: {
    // As most clusters have it: the task of a step is bound to its CPUs, and its variables bind its children's.
    TaskPlugin: 'task/affinity',
    PreemptType: 'preempt/partition_prio',
    PreemptMode: 'CANCEL',
    PartitionName: 'low Nodes=ALL PriorityTier=0 GraceTime=6 PreemptMode=CANCEL State=UP',
  },
})

test.concurrent('srun and the MPI launchers run within the program and within a task', async ({ work, expect }) => {
  const step = work.srun(
    ['--nodes=3', '--ntasks=3', '--nodelist=node0,node1,node2'],
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

test.concurrent(
  'a preempted job has its own grace, though Slurm says TERM once more',
  async ({ work, slurm, expect }) => {
    await work.write(
      'save.py',
      `import signal, sys, time
caught = []
signal.signal(signal.SIGTERM, lambda *_: caught.append(1))
print("ready", flush=True)
while len(caught) < 2:
    time.sleep(0.05)
time.sleep(3)
print("saved", flush=True)
sys.exit(5)
`,
    )
    const run = 'dask-hpc-runner run --layout shared --grace 80s -- python save.py'
    const script = `#!/bin/bash\nsrun ${run}\necho "status $?"\n`
    const job = await work.sbatch(script, ['--partition=low', '--ntasks=2', '--nodelist=node3'])
    await work.expectOutput(job, 'ready')
    const urgent = work.srun(['--partition=main', '--nodelist=node3', '--exclusive'], ['true'])
    await work.expectOutput(job, 'saved')
    await urgent.expectStatus(0)
    await slurm.wait(job)
    const output = await work.outputOf(job)
    expect(output).toContain('TERM came to all processes again')
    expect(output).not.toContain('ending everything at once')
    await work.expectNothingLeft()
  },
)
