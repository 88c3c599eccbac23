import { copyFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect } from 'vitest'
import { makeImage } from '../support/container-image.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'
import type { Workspace } from '../support/slurm/workspace.ts'

const root = resolve(import.meta.dirname, '../..')
const containers = join(root, 'fixtures/containers')
const test = slurmTest({ hosts: 3 })

/** Runs an example as it is, whose `apptainer` starts real containers, and gives what the job has printed. */
async function runExample(work: Workspace, script: string, option: string): Promise<string> {
  await makeImage(work.path('image.sif'))
  await copyFile(join(containers, 'client.py'), work.path('client.py'))
  for (const name of ['image.sif', 'client.py', 'container-python']) work.expectFile(name)
  const path = `${containers}:${work.slurm.env.PATH ?? ''}`
  const job = await work.sbatch(join(root, 'examples', script), [`--export=ALL,PATH=${path},${option}`, '--nodes=3'])
  await work.expectEnd(job, { JobState: 'COMPLETED', ExitCode: '0:0' })
  await work.expectNothingLeft()
  return await work.outputOf(job)
}

test.concurrent.for([
  ['container.sbatch has everything in containers', 'yes', 'DASK_HPC_RUNNER_NANNY=yes'],
  ['container-python.sbatch has only Python in containers', 'yes', ''],
  [
    'container-client.sbatch has its program alone in a container, with a clean environment',
    'no',
    'DASK_HPC_RUNNER_SECURE=yes',
  ],
] as const)('%s', async ([what, worker, option], { work }) => {
  const output = await runExample(work, what.split(' ')[0] ?? '', option)
  expect(output).toContain(`program in an image: yes\nworker in an image: ${worker}\nsum 6\n`)
})
