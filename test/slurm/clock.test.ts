import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { hasFreezer } from '../support/slurm/cgroups.ts'
import { expectNoAlarm } from '../support/slurm/no-alarm.ts'
import type { SlurmCluster } from '../support/slurm/slurm-cluster.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'

// Slurm looks at its clock twice a minute: these tests wait together.
const test = slurmTest({
  settings: {
    PreemptType: 'preempt/partition_prio',
    PreemptMode: 'CANCEL',
    PartitionName: 'low Nodes=ALL PriorityTier=0 GraceTime=6 PreemptMode=CANCEL State=UP',
  },
})
const three = ['--nodes=3', '--ntasks=3']

const checkpoint = resolve(import.meta.dirname, '../../fixtures/slurm-programs/checkpoint.py')

/** A program that counts its signals and computes for a second after TERM; its last words are in words.txt. */
const counting = `dask-hpc-runner run -- sh -c 'exec python ${join(programs, 'signals.py')} 1 7 >words.txt'`

for (const { processTracking, times } of [
  // Slurm then signals every process itself, and with this order twice at once.
  { processTracking: 'linuxproc', times: '[12]' },
  ...(hasFreezer() ? ([{ processTracking: 'cgroup', times: '1' }] as const) : []),
] as const) {
  const test = slurmTest({ processTracking })

  test.concurrent(`the time limit ends a job in order, with ${processTracking}`, async ({ work }) => {
    work.expectFile('words.txt')
    const job = await work.sbatch(`#!/bin/bash\nsrun ${counting}\n`, [...three, '--time=1'])
    await work.expectText('words.txt', 'counts')
    await work.expectEnd(job, { JobState: 'TIMEOUT', ExitCode: '0:15' })
    await work.expectNothingLeft()
    expectNoAlarm(await work.outputOf(job))
    expect(await work.textOf('words.txt')).toMatch(new RegExp(`computed True\ncounts \\[\\('SIGTERM', ${times}\\)\\]`))
  })
}

test.concurrent("--signal=TERM@60 ends a job in order, with the program's status", async ({ work }) => {
  work.expectFile('words.txt')
  const job = await work.sbatch(`#!/bin/bash\nsrun ${counting}\n`, [...three, '--time=2', '--signal=TERM@60'])
  await work.expectEnd(job, { JobState: 'FAILED', ExitCode: '7:0' })
  expect(await work.textOf('words.txt')).toContain("computed True\ncounts [('SIGTERM', 1)]\n")
  await work.expectNothingLeft()
  expectNoAlarm(await work.outputOf(job))
})

test.concurrent('--signal=B:USR1@60 reaches the program through a trap of the script', async ({ work }) => {
  const program = `dask-hpc-runner run -- python ${checkpoint}`
  // A wait ends when a trap has run; the second one has the step's status.
  const script = `#!/bin/bash\ntrap 'kill -USR1 $step' USR1\nsrun ${program} & step=$!\nwait $step\nwait $step\n`
  const job = await work.sbatch(script, [...three, '--time=2', '--signal=B:USR1@60'])
  await work.expectEnd(job, { JobState: 'FAILED', ExitCode: '5:0' })
  expect(await work.outputOf(job)).toContain('saved 21 after 1 signal\n')
  await work.expectNothingLeft()
  expectNoAlarm(await work.outputOf(job))
})

test.concurrent(
  '--end-before ends a run so long before the limit, of which status and the program know',
  async ({ work }) => {
    await work.write(
      'until-end.py',
      `import os, signal, subprocess, sys, time
end = int(os.environ["DASK_HPC_RUNNER_END_TIME"])
signal.signal(signal.SIGTERM, lambda *_: (print("left", round(end - time.time()), flush=True), sys.exit(7)))
subprocess.run(["dask-hpc-runner", "status"], check=True)
print("end", end, flush=True)
signal.pause()
`,
    )
    const run = 'dask-hpc-runner run --end-before 20s --grace 10s --wait-workers 1 -- python until-end.py'
    const job = await work.sbatch(`#!/bin/bash\nsrun ${run}\n`, ['--ntasks=3', '--time=2'])
    await work.expectEnd(job, { JobState: 'FAILED', ExitCode: '7:0' })
    const output = await work.outputOf(job)
    const [, end = 0] = /^end ([0-9]+)$/m.exec(output) ?? []
    const until = new Date(Number(end) * 1000).toISOString().replace('T', ' ').replace('.000Z', ' UTC')
    expect(output).toMatch(new RegExp(`^time left  [0-9.]+ s, until ${until}$`, 'm'))
    expect(output).toMatch(
      /\[0 scheduler\] the job ends in (20|1\d) s: --end-before ends the run now, as SIGTERM would\n/,
    )
    expect(output).toMatch(/^left (20|1[0-9])$/m)
    await work.expectNothingLeft()
    expectNoAlarm(output)
  },
)

test.concurrent('a requeued job is a new run in the same directory', async ({ work, slurm }) => {
  work.expectFile('words.txt')
  const workers = `dask-hpc-runner run -- python ${join(programs, 'workers.py')} 2`
  const script = `#!/bin/bash\nif [ "$SLURM_RESTART_COUNT" = 1 ]; then srun ${workers}; else srun ${counting}; fi\n`
  const job = await work.sbatch(script, [...three, '--requeue'])
  await work.expectText('words.txt', 'ready')
  await slurm.on('login', ['scontrol', 'requeue', job])
  await work.expectText('words.txt', 'counts')
  await hurry(slurm, job)
  await work.expectEnd(job, { JobState: 'COMPLETED', ExitCode: '0:0' })
  expect(await work.outputOf(job)).toContain('workers [2]\nresult 21 on 2\n')
  await work.expectNothingLeft()
  expectNoAlarm(await work.outputOf(job))
})

test.concurrent('a job that is suspended goes on when it is resumed', async ({ work, slurm }) => {
  const hold = `dask-hpc-runner run -- python ${join(programs, 'hold.py')} go`
  const job = await work.sbatch(`#!/bin/bash\nsrun ${hold}\n`, three)
  await work.expectOutput(job, 'ready')
  await slurm.on('login', ['scontrol', 'suspend', job])
  await slurm.waitFor(job, 'SUSPENDED')
  await sleep(60_000)
  await slurm.on('login', ['scontrol', 'resume', job])
  await slurm.waitFor(job, 'RUNNING')
  await sleep(5_000)
  await work.write('go', '')
  await work.expectEnd(job, { JobState: 'COMPLETED', ExitCode: '0:0' })
  expect(await work.outputOf(job)).toContain('result 21')
  await work.expectNothingLeft()
  expectNoAlarm(await work.outputOf(job))
})

/** Slurm lets a requeued job wait for two minutes, unless it is told when to start. */
async function hurry(slurm: SlurmCluster, job: string): Promise<void> {
  await slurm.waitFor(job, 'PENDING')
  await slurm.on('login', ['scontrol', 'update', `JobId=${job}`, 'StartTime=now'])
}

test.concurrent('a preempted job has its own grace, though Slurm says TERM once more', async ({ work, slurm }) => {
  await work.write(
    'save.py',
    `import signal, sys, time
caught = []
signal.signal(signal.SIGTERM, lambda *_: caught.append(1))
print("ready", flush=True)
while len(caught) < 2:
    time.sleep(0.05)
time.sleep(3)
print("saved", flush=True)
sys.exit(5)
`,
  )
  const run = 'dask-hpc-runner run --layout shared --grace 80s -- python save.py'
  const script = `#!/bin/bash\nsrun ${run}\necho "status $?"\n`
  const job = await work.sbatch(script, ['--partition=low', '--ntasks=2', '--cpus-per-task=12', '--nodelist=node3'])
  await work.expectOutput(job, 'ready')
  const urgent = work.srun(['--partition=main', '--nodelist=node3', '--cpus-per-task=20'], ['true'])
  await work.expectOutput(job, 'saved')
  await urgent.expectStatus(0)
  await slurm.wait(job)
  const output = await work.outputOf(job)
  expect(output).toContain('TERM came to all processes again')
  expect(output).not.toContain('ending everything at once')
  await work.expectNothingLeft()
})
