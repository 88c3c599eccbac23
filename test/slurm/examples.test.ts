import { copyFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
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
