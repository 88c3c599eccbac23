import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

// Memory is given to jobs, and each host has four GPUs (without devices behind them).
const test = slurmTest({ hosts: 2, gpus: 4, settings: { SelectTypeParameters: 'CR_Core_Memory' } })
const run = ['dask-hpc-runner', 'run', '--layout', 'shared', '--', 'python', join(programs, 'share.py')]
const gib = 2 ** 30

test('four tasks of a node that see its four GPUs begin with one each, and have a quarter of the memory', async ({
  work,
}) => {
  // No variable says anything of memory then.
  const step = work.srun(['--nodes=1', '--ntasks=4', '--gpus-per-node=4', '--mem=4G'], run)
  await step.expectStatus(0)
  expect(step.stdout.trim().split('\n')).toEqual(
    ['0,1,2,3', '1,2,3,0', '2,3,0,1', '3,0,1,2'].map(
      (list, name) => `${name} 1 ${gib} GPU=1 CUDA_VISIBLE_DEVICES=${list} ROCR_VISIBLE_DEVICES=0,1,2,3`,
    ),
  )
  await work.expectNothingLeft()
})

test('what Slurm has bound to each task stays as it is', async ({ work }) => {
  const step = work.srun(['--nodes=2', '--ntasks=4', '--gpus-per-task=2', '--mem-per-gpu=512M'], run)
  await step.expectStatus(0)
  expect(step.stdout.trim().split('\n')).toEqual(
    ['0,1', '2,3', '0,1', '2,3'].map(
      (list, name) => `${name} 1 ${gib} GPU=2 CUDA_VISIBLE_DEVICES=${list} ROCR_VISIBLE_DEVICES=${list}`,
    ),
  )
  await work.expectNothingLeft()
})

test('the tasks of a heterogeneous job have what their own component asked for', async ({ work }) => {
  const script = `#!/bin/bash
#SBATCH --nodes=1 --ntasks=2 --mem-per-cpu=1G
#SBATCH hetjob
#SBATCH --nodes=1 --ntasks=2 --cpus-per-task=2 --mem-per-cpu=3G --gpus-per-node=2
srun --het-group=0,1 bash -c 'if [ "$SLURM_PROCID" = 3 ]; then dask-hpc-runner plan; fi'
srun --het-group=0,1 ${run.join(' ')}
`
  const job = await work.sbatch(script)
  await work.expectEnd(job, { JobState: 'COMPLETED', ExitCode: '0:0' })
  const output = await work.outputOf(job)
  expect(output).toMatch(/^ {2}has 6 GiB: SLURM_MEM_PER_CPU_HET_GROUP_1 × 4 CPUs ÷ 2 tasks$/m)
  // How many threads they have depends on this machine, whose CPUs no host claims for itself.
  const lists = [
    '',
    '',
    ' GPU=1 CUDA_VISIBLE_DEVICES=0,1 ROCR_VISIBLE_DEVICES=0,1',
    ' GPU=1 CUDA_VISIBLE_DEVICES=1,0 ROCR_VISIBLE_DEVICES=0,1',
  ]
  const memory = [gib, gib, 6 * gib, 6 * gib]
  for (const [name, list] of lists.entries())
    expect(output).toMatch(new RegExp(`^${name} \\d+ ${memory[name] ?? ''}${list}$`, 'm'))
  await work.expectNothingLeft()
})

test('four tasks on two CPUs are said to have half a CPU each', async ({ work }) => {
  const step = 'srun --overcommit --ntasks=4 dask-hpc-runner doctor --timeout 4m --layout shared'
  const run = work.start(['salloc', '--nodes=1', '--ntasks=2', '--mem=4G', 'bash', '-c', step])
  await run.expectStatus(0)
  expect(run.stdout).toMatch(
    /^ok +resources +a worker gets 1 thread and 1 GiB; its process has 0\.5 CPUs: SLURM_CPUS_ON_NODE ÷ 4 tasks; 1 GiB: \S+ ÷ 4 tasks \(ranks 0-3 \(node\d\)\)$/m,
  )
  await work.expectNothingLeft()
})
