import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

const test = slurmTest()
const four = ['--nodes=4', '--ntasks=4']
const end = ['dask-hpc-runner', 'run', '--', 'python', join(programs, 'end.py')]
const hold = ['dask-hpc-runner', 'run', '--', 'python', join(programs, 'hold.py'), 'go']

for (const kill of ['--kill-on-bad-exit=0', '--kill-on-bad-exit=1']) {
  test(`srun ${kill} exits with the program's status`, async ({ work }) => {
    const run = work.srun([...four, kill], [...end, '3'])
    await run.expectStatus(3)
    // The others have ended in order, and not because srun ended them.
    expect(run.stderr).not.toContain('SIGTERM')
    expect(run.stderr).not.toContain('Killed')
    await work.expectNothingLeft()
  })
}

test('srun exits with 128+9 where the program was killed', async ({ work }) => {
  const run = work.srun(four, [...end, 'SIGKILL'])
  await run.expectStatus(137)
  await work.expectNothingLeft()
})

test("sbatch --wait and scontrol tell the program's status", async ({ work, slurm }) => {
  await work.write('job.sbatch', `#!/bin/bash\nsrun ${end.join(' ')} 3\n`)
  work.expectFile('slurm-*.out')
  const run = work.start(['sbatch', '--wait', ...four, 'job.sbatch'])
  await run.expectStatus(3)
  const [, job = ''] = /Submitted batch job (\d+)/.exec(run.stdout) ?? []
  expect(await slurm.wait(job)).toMatchObject({ JobState: 'FAILED', ExitCode: '3:0' })
  await work.expectNothingLeft()
})

test('a lost worker does not end the run, and srun tells of it', async ({ work, slurm }) => {
  const run = work.srun([...four, '--kill-on-bad-exit=0'], hold)
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
    const run = work.srun([...four, '--kill-on-bad-exit=0'], hold)
    await run.expectOutput('ready')
    await slurm.killProcess(host, 'dask-hpc-runner run')
    const { status } = await run.ended
    expect([69, 137], run.output).toContain(status)
    await work.expectNothingLeft()
  })
}

test('Ctrl-C twice ends an interactive srun in order', async ({ work, slurm }) => {
  const counting = ['dask-hpc-runner', 'run', '--', 'python', join(programs, 'signals.py'), '1', '7']
  const run = work.srun(four, counting)
  await run.expectOutput('ready')
  // It has a child of the same name.
  const [{ pid } = { pid: -1 }] = (await slurm.processesOn('login')).filter(({ name }) => name === 'srun')
  process.kill(pid, 'SIGINT')
  await run.expectOutput('one more within')
  process.kill(pid, 'SIGINT')
  await run.expectStatus(7)
  expect(run.stdout).toContain("counts [('SIGINT', 1)]\n")
  await work.expectNothingLeft()
})
