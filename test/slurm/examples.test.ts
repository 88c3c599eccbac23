import { copyFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { expect } from 'vitest'
import { expectNoAlarm } from '../support/slurm/no-alarm.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

const examples = resolve(import.meta.dirname, '../../examples')
const test = slurmTest()

test('job.sbatch runs as it is', async ({ work }) => {
  await copyFile(join(examples, 'client.py'), work.path('client.py'))
  work.expectFile('client.py')
  const job = await work.sbatch(join(examples, 'job.sbatch'))
  await work.expectEnd(job, { JobState: 'COMPLETED', ExitCode: '0:0' })
  expect(await work.outputOf(job)).toContain('sum of squares: 285\n')
  await work.expectNothingLeft()
  expectNoAlarm(await work.outputOf(job))
})

test('client.ts runs its functions in both languages, on any process and on process 2', async ({ work }) => {
  const library = resolve(examples, '../dist/index.js')
  await build({
    entryPoints: [join(examples, 'client.ts')],
    outfile: work.path('client.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    supported: { using: false },
    alias: { 'dask-hpc-runner': library },
    external: [library],
    logLevel: 'silent',
  })
  work.expectFile('client.mjs')
  const step = work.srun(['--nodes=4', '--ntasks=4'], [process.execPath, 'client.mjs'])
  await step.expectStatus(0)
  expect(step.stdout).toBe('10 -> 11\n10 -> 11\n20 -> 21\n20 -> 21\n')
  await work.expectNothingLeft()
  expectNoAlarm(step.stderr)
})
