import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'
import type { Workspace } from '../support/slurm/workspace.ts'

const mib = 2 ** 20
// The kernel keeps each job to 1 GiB on its node (ConstrainRAMSpace), and kills processes of it where they take more.
const test = slurmTest({ hosts: 5, cpus: 4, gpus: 4, memory: 1024, constrainMemory: true })

/** Runs a program in a step that `start` starts; gives what it prints of each worker, if the kernel has killed nothing. */
async function linesOf(
  work: Workspace,
  start: readonly string[],
  program: readonly [name: string, ...args: string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  // Not on a tmpfs, which is memory too. (Vitest's own `onTestFinished` would take one of the tests beside for this one.)
  const disk = await mkdtemp('/var/tmp/dask-hpc-runner-test-')
  try {
    const [name, ...args] = program
    const run = ['dask-hpc-runner', 'run', '--local-directory', disk, '--', 'python', join(programs, name), ...args]
    const step = work.start([...start, ...run], env)
    await step.expectStatus(0)
    expect(step.stderr).not.toMatch(/oom-kill|Out Of Memory/)
    await work.expectNothingLeft()
    return step.stdout.trim().split('\n').sort()
  } finally {
    await rm(disk, { recursive: true })
  }
}

test.concurrent.for([
  ['nothing'],
  ['--mem=1G'],
  ['--mem=0'],
  ['--mem-per-cpu=256M'],
  ['--mem-per-gpu=256M', '--gpus-per-node=4'],
])('the workers of a job that asked for %s spill, and the kernel kills nothing', async (asked, { work }) => {
  const options = asked.filter((option) => option.startsWith('-'))
  // In an allocation, as a script has it.
  const step = ['salloc', '--nodes=1', '--ntasks=4', ...options, 'srun']
  expect(await linesOf(work, step, ['fill_memory.py', '600'])).toEqual([2, 3].map((n) => `${n} ${256 * mib} spilled`))
})

// What is said of memory here is in no variable (Slurm 22.05), or in one that srun has not set itself. Task 0 has the
// scheduler and the client program too, which need room when its worker has taken all that it may.
test.concurrent.for<
  [how: string, options: readonly string[], env: Readonly<Record<string, string>>, limits: readonly number[]]
>([
  ['srun --mem=1G', ['--mem=1G'], {}, [390, 512]],
  ['srun with SLURM_MEM_PER_NODE=1G', [], { SLURM_MEM_PER_NODE: '1G' }, [390, 512]],
  ['srun without a word of memory', [], {}, [390, 512]],
  ['srun --mem=512M', ['--mem=512M'], {}, [128, 256]],
])(
  'Dask pauses the workers of two tasks under %s without an allocation, and the kernel kills nothing',
  async ([, options, env, limits], { work }) => {
    const step = ['srun', '--nodes=1', '--ntasks=2', ...options]
    const lines = limits.map((limit, name) => `${name} ${limit * mib} paused`)
    expect(await linesOf(work, step, ['hold_memory.py'], env)).toEqual(lines)
  },
)

test.concurrent(
  'a worker and a program that the kernel kills for their memory are told with the limit, and no other',
  async ({ work }) => {
    const run = ['dask-hpc-runner', 'run', '--', 'python', join(programs, 'take_memory.py')]
    const step = work.start(['srun', '--nodes=1', '--ntasks=4', '--mem=1G', ...run])
    // Slurm's own status of a step in which something was killed for memory.
    await step.expectStatus(1)
    const limit = String.raw`1 GiB \(/sys/fs/cgroup/memory/slurm_\S+/job_\d+/\S*memory.limit_in_bytes\)`
    const kernel = `was killed by SIGKILL: the kernel killed it because its control group had used all memory that it may have: ${limit}; `
    const advice = String.raw`ask Slurm for more memory \(--mem\), start fewer workers on the node, or lower --memory-limit`
    expect(step.stderr).toMatch(/Worker 2 on \S+ was killed by SIGKILL; it is started again/)
    expect(step.stderr).toMatch(
      new RegExp(String.raw`Worker 3 on \S+ ${kernel}Dask allows this worker 256 MiB; ${advice}; it is started again`),
    )
    expect(step.stderr).toMatch(new RegExp(String.raw`The client program on \S+ ${kernel}${advice}\n`))
    await work.expectNothingLeft()
  },
)
