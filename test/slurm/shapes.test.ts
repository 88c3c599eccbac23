import { copyFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect } from 'vitest'
import { expectNoAlarm } from '../support/slurm/no-alarm.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'
import type { Workspace } from '../support/slurm/workspace.ts'

const examples = resolve(import.meta.dirname, '../../examples')
// One after the other: up to eight workers start at once.
const test = slurmTest({ gpus: 4, settings: { SelectTypeParameters: 'CR_Core_Memory' } })
const completed = { JobState: 'COMPLETED', ExitCode: '0:0' }

/** Submits an example as it is, and gives what the job printed at its end. */
async function runExample(work: Workspace, script: string, program: string): Promise<string> {
  await copyFile(join(examples, program), work.path(program))
  work.expectFile(program)
  // What Dask's workers say that they have.
  const job = await work.sbatch(join(examples, script), ['--export=ALL,DASK_HPC_RUNNER_DASK_LOG_LEVEL=info'])
  await work.expectEnd(job, completed)
  const output = await work.outputOf(job)
  await work.expectNothingLeft()
  expectNoAlarm(output)
  return output
}

test('heterogeneous.sbatch gives each worker the memory and the threads of its own component', async ({ work }) => {
  const output = await runExample(work, 'heterogeneous.sbatch', 'client.py')
  expect(output).toContain('sum of squares: 285\n')
  for (const rank of [2, 3]) {
    expect(output).toMatch(new RegExp(String.raw`^\[${rank} worker\] .* Threads: +2$`, 'm'))
    expect(output).toMatch(new RegExp(String.raw`^\[${rank} worker\] .* Memory: +6\.00 GiB$`, 'm'))
  }
})

test('gpus.sbatch has one worker for each GPU, which sees its own first', async ({ work }) => {
  const output = await runExample(work, 'gpus.sbatch', 'gpus.py')
  expect(output).toContain('first GPUs: 0 0 1 1 2 2 3 3\nsum of squares: 1240\n')
})

test('tasks.sbatch has a worker on each task but the first two', async ({ work }) => {
  const output = await runExample(work, 'tasks.sbatch', 'client.py')
  expect(output).toContain('sum of squares: 285\n')
  const names = [...output.matchAll(/^\[\d worker\] .* Worker name: +(\d+)$/gm)].map(([, name]) => name)
  expect(names.sort()).toEqual(['2', '3', '4', '5', '6', '7'])
})

test('array.sbatch has the workers of the other elements join, and end with the cluster', async ({ work }) => {
  // A program of the same name that waits for the workers of all elements.
  await work.write(
    'client.py',
    'from dask.distributed import Client\nwith Client() as client:\n    client.wait_for_workers(4)\n    print("workers", len(client.scheduler_info()["workers"]))\n',
  )
  const job = await work.sbatch(join(examples, 'array.sbatch'), ['--output=%a.txt'])
  for (const element of ['0.txt', '1.txt', '2.txt', '3.txt']) work.expectFile(element)
  await work.expectEnd(job, completed)
  expect(await work.textOf('0.txt')).toContain('workers 4\n')
  await work.expectNothingLeft()
})
