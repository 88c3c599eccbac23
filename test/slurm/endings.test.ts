import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { formatProcesses } from '../support/slurm/processes.ts'
import type { SlurmCluster } from '../support/slurm/slurm-cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'
import { until } from '../support/until.ts'

const test = slurmTest()
const three = ['--nodes=3', '--ntasks=3']
const end = ['dask-hpc-runner', 'run', '--', 'python', join(programs, 'end.py')]
const hold = ['dask-hpc-runner', 'run', '--', 'python', join(programs, 'hold.py'), 'go']

for (const kill of ['--kill-on-bad-exit=0', '--kill-on-bad-exit=1']) {
  test(`srun ${kill} exits with the program's status`, async ({ work }) => {
    const run = work.srun([...three, kill], [...end, '3'])
    await run.expectStatus(3)
    // The others have ended in order, and not because srun ended them.
    expect(run.stderr).not.toContain('SIGTERM')
    expect(run.stderr).not.toContain('Killed')
    await work.expectNothingLeft()
  })
}

test('srun exits with 128+9 where the program was killed', async ({ work }) => {
  const run = work.srun(three, [...end, 'SIGKILL'])
  await run.expectStatus(137)
  await work.expectNothingLeft()
})

test("sbatch --wait and scontrol tell the program's status", async ({ work }) => {
  await work.write('job.sbatch', `#!/bin/bash\nsrun ${end.join(' ')} 3\n`)
  work.expectFile('slurm-*.out')
  const run = work.start(['sbatch', '--wait', ...three, 'job.sbatch'])
  await run.expectStatus(3)
  const [, job = ''] = /Submitted batch job (\d+)/.exec(run.stdout) ?? []
  await work.expectEnd(job, { JobState: 'FAILED', ExitCode: '3:0' })
  await work.expectNothingLeft()
})

test('a lost worker does not end the run, and srun tells of it', async ({ work, slurm }) => {
  const run = work.srun(['--nodes=4', '--ntasks=4', '--kill-on-bad-exit=0'], hold)
  await run.expectOutput('ready')
  await slurm.killProcess('node3', 'dask-hpc-runner run')
  await run.expectOutput('Killed')
  await work.write('go', '')
  await run.expectOutput('result 21')
  await run.expectStatus(137)
  await work.expectNothingLeft()
})

for (const [host, what] of [
  ['node0', "the scheduler's"],
  ['node1', "the client's"],
] as const) {
  test(`where ${what} process is killed, all processes end`, async ({ work, slurm }) => {
    const run = work.srun([...three, '--kill-on-bad-exit=0'], hold)
    await run.expectOutput('ready')
    await slurm.killProcess(host, 'dask-hpc-runner run')
    const { status } = await run.ended
    expect([69, 137], run.output).toContain(status)
    await work.expectNothingLeft()
  })
}

test('a process that is stopped before it has joined does not hold a step that has failed', async ({ work }) => {
  const run = ['dask-hpc-runner', 'run', '--lost-after', '4s', '--python', '/bin/false', '--', 'true']
  const step = work.srun([...three, '--kill-on-bad-exit=0'], [join(programs, 'stopped-before-joining.sh'), '2', ...run])
  await step.ended
  expect(step.output).toMatch(/rank 2 may still hold the step: scancel --signal=TERM [0-9.]+ has Slurm end it/)
  await work.expectNothingLeft()
})

test('a program that ignores TERM is killed in its time, before Slurm kills everything', async ({ work, slurm }) => {
  const stubborn = `dask-hpc-runner run --grace 4s -- python ${join(programs, 'stubborn.py')}`
  const job = await work.sbatch(`#!/bin/bash\nsrun ${stubborn}\n`, three)
  await work.expectOutput(job, 'ready')
  await slurm.on('login', ['scancel', job])
  await work.expectEnd(job, { JobState: 'CANCELLED', ExitCode: '0:15' })
  await work.expectNothingLeft()
})

test('Ctrl-C reaches the program of an interactive srun that passes it on', async ({ work, slurm }) => {
  const counting = ['dask-hpc-runner', 'run', '--', 'python', join(programs, 'signals.py'), '1', '7']
  const run = work.srun([...three, '--disable-status'], counting)
  await run.expectOutput('ready')
  process.kill(await srunOf(slurm), 'SIGINT')
  await run.expectStatus(7)
  expect(run.stdout).toContain("counts [('SIGINT', 1)]\n")
  await work.expectNothingLeft()
})

test('where Ctrl-C twice lets Slurm kill all processes at once, the next run takes over their file', async ({
  work,
  slurm,
}) => {
  const hold = ['dask-hpc-runner', 'run', '--scheduler-file', 'F.json', '--', 'python', join(programs, 'hold.py'), 'go']
  const killed = work.srun(three, hold)
  await killed.expectOutput('ready')
  // The second has to come within a second.
  const srun = await srunOf(slurm)
  process.kill(srun, 'SIGINT')
  await killed.expectOutput('one more within')
  process.kill(srun, 'SIGINT')
  await killed.expectStatus(137)
  await until(
    async () => await work.processes(),
    (left) => left.length === 0,
    { what: 'all have been killed', say: formatProcesses },
  )
  // Whoever is killed last may have removed it.
  const isLeft = (await work.textOf('F.json')) !== ''
  await work.write('go', '')
  const run = work.srun(three, hold)
  await run.expectStatus(0)
  expect(run.stdout).toContain('result 21')
  expect(/Replacing ".*F\.json" of run .*, which is gone/.test(run.stderr), run.stderr).toBe(isLeft)
  // Nobody was left to remove them.
  work.expectFile('dask-hpc-runner-*')
  await work.expectNothingLeft()
})

/** The only srun of the cluster, which gets what is typed. */
async function srunOf(slurm: SlurmCluster): Promise<number> {
  const all = (await slurm.processesOn('login')).filter(({ name }) => name === 'srun')
  // It has a child of the same name, whose number may be the lower one.
  const srun = all.find(({ parent }) => !all.some(({ pid }) => pid === parent))
  return srun?.pid ?? expect.fail('no srun')
}
