import { copyFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { expect } from 'vitest'
import { programBuild } from '../support/program-build.ts'
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

test('client.ts runs its functions in both languages, on any process and on rank 2', async ({ work }) => {
  await build({ ...programBuild, entryPoints: [join(examples, 'client.ts')], outfile: work.path('client.mjs') })
  work.expectFile('client.mjs')
  const step = work.srun(['--nodes=4', '--ntasks=4'], [process.execPath, 'client.mjs'])
  await step.expectStatus(0)
  expect(step.stdout).toBe('10 -> 11\n10 -> 11\n20 -> 21\n20 -> 21\n')
  await work.expectNothingLeft()
  expectNoAlarm(step.stderr)
})

for (const { what, client, variable, end, says } of [
  {
    what: 'with the status of its client, which fails',
    client: 'print("client"); raise SystemExit(3)\n',
    end: { JobState: 'FAILED', ExitCode: '3:0' },
    says: /no client: the cluster lives until dask-hpc-runner stop --scheduler-file \S+; .*srun --overlap\n[^]*^client\n/m,
  },
  {
    what: 'with 0 where its client does',
    client:
      'from dask.distributed import Client\nwith Client() as client:\n    print("sum", client.submit(sum, [1, 2]).result())\n',
    end: { JobState: 'COMPLETED', ExitCode: '0:0' },
    says: /^sum 3$[^]*^Stopped the scheduler at tcp:\S+ and 3 workers of run /m,
  },
  {
    what: 'with the status of a scheduler that cannot start',
    variable: 'DASK_HPC_RUNNER_PRELOAD=import no_such_module,PYTHONDONTWRITEBYTECODE=1',
    end: { JobState: 'FAILED', ExitCode: '69:0' },
    // Whichever of the two ends first, srun or wait: the script ends the other.
    says: /^\[0 scheduler\] error: Cannot start scheduler: /m,
  },
  {
    what: 'with the status of a run that does not even begin',
    variable: 'DASK_HPC_RUNNER_LAYOUT=none',
    end: { JobState: 'FAILED', ExitCode: '64:0' },
    says: /DASK_HPC_RUNNER_LAYOUT/,
  },
])
  test(`background.sbatch ends ${what}`, async ({ work }) => {
    await work.write('client.py', client ?? '')
    const job = await work.sbatch(
      join(examples, 'background.sbatch'),
      variable === undefined ? [] : [`--export=ALL,${variable}`],
    )
    await work.expectEnd(job, end)
    expect(await work.outputOf(job)).toMatch(says)
    await work.expectNothingLeft()
  })
