import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { hasFreezer } from '../support/slurm/cgroups.ts'
import { expectNoAlarm } from '../support/slurm/no-alarm.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

const counting = `python ${join(programs, 'signals.py')} 1 7`

/** How Slurm knows a step's processes decides which of them it signals. */
const trackings = [
  { processTracking: 'linuxproc', whom: 'every process of the step' },
  { processTracking: 'pgid', whom: "the tasks' process groups" },
  ...(hasFreezer() ? ([{ processTracking: 'cgroup', whom: 'the tasks alone' }] as const) : []),
] as const

for (const { processTracking, whom } of trackings) {
  const test = slurmTest({ processTracking })

  test(`signals to ${whom} reach the program once, and TERM ends the step with its status`, async ({ work, slurm }) => {
    const run = work.srun(['--nodes=3', '--ntasks=3'], ['dask-hpc-runner', 'run', '--', ...counting.split(' ')])
    await run.expectOutput('ready')
    const [job = ''] = await work.jobIds()
    await slurm.on('login', ['scancel', '--signal=USR1', job])
    await run.expectOutput('came SIGUSR1')
    await slurm.on('login', ['scancel', '--signal=TERM', job])
    await run.expectStatus(7)
    expect(run.stdout).toContain("computed True\ncounts [('SIGTERM', 1), ('SIGUSR1', 1)]\n")
    expectNoAlarm(run.output)
    await work.expectNothingLeft()
  })

  test(`scancel, whose TERM goes to ${whom}, ends a job in order`, async ({ work, slurm }) => {
    // Slurm ends srun with the script, so that nobody prints the program's last words any more.
    const program = `dask-hpc-runner run -- sh -c 'exec ${counting} >words.txt'`
    work.expectFile('words.txt')
    const job = await work.sbatch(`#!/bin/bash\nsrun ${program}\n`, ['--nodes=3', '--ntasks=3'])
    await work.expectText('words.txt', 'ready')
    await slurm.on('login', ['scancel', job])
    await work.expectEnd(job, { JobState: 'CANCELLED', ExitCode: '0:15' })
    await work.expectNothingLeft()
    expectNoAlarm(await work.outputOf(job))
    expect(await work.textOf('words.txt')).toContain("computed True\ncounts [('SIGTERM', 1)]\n")
  })
}
