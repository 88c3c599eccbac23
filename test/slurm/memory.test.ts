import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

const mib = 2 ** 20
// The kernel keeps each job to 1 GiB on its node (ConstrainRAMSpace), and kills processes of it where they take more.
const test = slurmTest({ hosts: 5, cpus: 4, gpus: 4, memory: 1024, constrainMemory: true })

test.concurrent.for([
  ['nothing'],
  ['--mem=1G'],
  ['--mem=0'],
  ['--mem-per-cpu=256M'],
  ['--mem-per-gpu=256M', '--gpus-per-node=4'],
])(
  'the workers of a job that asked for %s spill, and the kernel kills nothing',
  async (asked, { work, onTestFinished }) => {
    // Not on a tmpfs, which is memory too.
    const disk = await mkdtemp('/var/tmp/dask-hpc-runner-test-')
    onTestFinished(async () => await rm(disk, { recursive: true }))
    const options = asked.filter((option) => option.startsWith('-'))
    const run = ['dask-hpc-runner', 'run', '--local-directory', disk, '--']
    const fill = ['python', join(programs, 'fill_memory.py'), '1100']
    // In an allocation, as a script has it: srun alone sets no variables in Slurm 22.05.
    const step = work.start(['salloc', '--nodes=1', '--ntasks=4', ...options, 'srun', ...run, ...fill])
    await step.expectStatus(0)
    expect(step.stdout.trim().split('\n').sort()).toEqual([2, 3].map((name) => `${name} ${256 * mib} spilled`))
    expect(step.stderr).not.toMatch(/oom-kill|Out Of Memory/)
    await work.expectNothingLeft()
  },
)
