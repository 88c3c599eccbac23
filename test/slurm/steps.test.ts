import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../support/cluster.ts'
import { expectNoAlarm } from '../support/slurm/no-alarm.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'
import { until } from '../support/until.ts'

const test = slurmTest()
const completed = { JobState: 'COMPLETED', ExitCode: '0:0' }

/** Waits for all workers, says their names and computes on one of them. */
const workers = `dask-hpc-runner run -- python ${join(programs, 'workers.py')}`

test('several tasks on each node become one cluster', async ({ work }) => {
  const run = work.srun(['--nodes=2', '--ntasks=6'], [...workers.split(' '), '5'])
  await run.expectStatus(0)
  expect(run.stdout).toBe('workers [2, 3, 4, 5]\nresult 21 on 5\n')
  run.expectNoAlarm()
  await work.expectNothingLeft()
})

test('a step on some nodes of the job is a cluster of these', async ({ work }) => {
  const job = await work.sbatch(`#!/bin/bash\nsrun --nodes=3 --ntasks=3 ${workers} 2\n`, ['--nodes=4'])
  await work.expectEnd(job, completed)
  expect(await work.outputOf(job)).toContain('workers [2]\nresult 21 on 2\n')
  await work.expectNothingLeft()
  expectNoAlarm(await work.outputOf(job))
})

test('two steps side by side in one directory are two clusters', async ({ work }) => {
  const step = `srun --exact --nodes=2 --ntasks=4 dask-hpc-runner run -- python ${join(programs, 'hold.py')} go`
  const script = `#!/bin/bash\n${step} & first=$!\n${step} & second=$!\nwait $first && wait $second\n`
  const job = await work.sbatch(script, ['--nodes=2', '--ntasks-per-node=4'])
  await until(
    async () => await work.outputOf(job),
    (output) => output.match(/^ready$/gm)?.length === 2,
    { what: 'both programs are running', say: (output) => output },
  )
  const files = (await readdir(work.path('.'))).filter((name) => name.startsWith('scheduler-')).sort()
  expect(files).toEqual([`scheduler-${job}.0.json`, `scheduler-${job}.1.json`])
  await work.write('go', '')
  await work.expectEnd(job, completed)
  expect((await work.outputOf(job)).match(/^result 21$/gm)).toHaveLength(2)
  await work.expectNothingLeft()
  expectNoAlarm(await work.outputOf(job))
})

test('two steps one after the other in one directory, with one scheduler file, are two clusters', async ({ work }) => {
  const run = workers.replace(' run', ' run --scheduler-file cluster.json')
  const script = `#!/bin/bash\nset -e\nsrun ${run} 2\nsrun ${run} 2\n`
  const job = await work.sbatch(script, ['--nodes=3', '--ntasks=3'])
  await work.expectEnd(job, completed)
  expect(await work.outputOf(job)).toMatch(/result 21 on 2\n(.|\n)*result 21 on 2\n/)
  await work.expectNothingLeft()
  expectNoAlarm(await work.outputOf(job))
})

test('the elements of a job array in one directory are clusters of their own', async ({ work }) => {
  const job = await work.sbatch(`#!/bin/bash\nsrun ${workers} 2\n`, [
    '--array=0-1',
    '--nodes=3',
    '--ntasks=3',
    '--output=%a.txt',
  ])
  for (const element of ['0.txt', '1.txt']) work.expectFile(element)
  await work.expectEnd(job, completed)
  for (const element of ['0', '1']) expect(await work.textOf(`${element}.txt`)).toContain('result 21 on 2\n')
  await work.expectNothingLeft()
})

test('a heterogeneous step is one cluster', async ({ work }) => {
  const script = ['#!/bin/bash', '#SBATCH --nodes=1 --ntasks=1', '#SBATCH hetjob', '#SBATCH --nodes=2 --ntasks=4']
  const job = await work.sbatch(`${script.join('\n')}\nsrun --het-group=0,1 ${workers} 4\n`)
  await work.expectEnd(job, completed)
  expect(await work.outputOf(job)).toContain('workers [2, 3, 4]\nresult 21 on 4\n')
  await work.expectNothingLeft()
  expectNoAlarm(await work.outputOf(job))
})

test('salloc runs a step', async ({ work }) => {
  const run = work.start(['salloc', '--nodes=3', '--ntasks=3', 'bash', '-c', `srun ${workers} 2`])
  await run.expectStatus(0)
  expect(run.stdout).toBe('workers [2]\nresult 21 on 2\n')
  await work.expectNothingLeft()
})

test('a program in a pseudo terminal of srun, which is that of task 0, has a terminal', async ({ work }) => {
  // What is typed comes when it is asked for, and the terminal is there until it was read.
  const program =
    'import sys\nopen("asks", "w")\nprint("terminal", sys.stdin.isatty(), sys.stdout.isatty(), input())\nopen("read", "w")\n'
  const wait = (name: string): string => `until [ -e ${name} ]; do sleep 0.1; done`
  for (const name of ['asks', 'read']) work.expectFile(name)
  await work.write('program.py', program)
  const srun = 'srun --pty --nodes=2 --ntasks=2 dask-hpc-runner run -- python program.py'
  // script gives srun itself a terminal.
  const run = work.start([
    'bash',
    '-c',
    `(${wait('asks')}; echo typed; ${wait('read')}) | script -qec "$1" /dev/null`,
    '',
    srun,
  ])
  await run.expectStatus(0)
  expect(run.stdout).toMatch(/terminal True True typed/)
  await work.expectNothingLeft()
})

test('an interactive srun has its standard input in the program', async ({ work }) => {
  const program = 'import sys; print("read", sys.stdin.read().strip())'
  const run = work.start([
    'bash',
    '-c',
    'echo typed | srun --nodes=4 --ntasks=4 "$@"',
    '',
    'dask-hpc-runner',
    'run',
    '--',
    'python',
    '-c',
    program,
  ])
  await run.expectStatus(0)
  expect(run.stdout).toBe('read typed\n')
  run.expectNoAlarm()
  await work.expectNothingLeft()
})

test('sbatch called by the program of a step starts a job with a cluster of its own', async ({ work }) => {
  const inner = `#!/bin/bash\nsrun ${workers} 3\n`
  const submit = ['sbatch', '--wait', '--nodes=4', '--ntasks=4', '--output=inner.txt', 'inner.sbatch']
  await work.write('inner.sbatch', inner)
  work.expectFile('inner.txt')
  const run = work.srun(['--nodes=2', '--ntasks=2'], ['dask-hpc-runner', 'run', '--', ...submit])
  await run.expectStatus(0)
  expect(await work.textOf('inner.txt')).toContain('workers [2, 3]\nresult 21 on 3\n')
  await work.expectNothingLeft()
})

test('a script that forgets srun is told so', async ({ work }) => {
  const job = await work.sbatch(`#!/bin/bash\n${workers} 2\n`, ['--nodes=4', '--ntasks=4'])
  await work.expectEnd(job, { JobState: 'FAILED', ExitCode: '78:0' })
  expect(await work.outputOf(job)).toContain('srun')
  await work.expectNothingLeft()
})

test('a script that forgets srun, submitted by a step, is told so', async ({ work }) => {
  await work.write('inner.sbatch', `#!/bin/bash\n${workers} 2\n`)
  const submit = ['sbatch', '--wait', '--nodes=4', '--ntasks=4', '--output=inner.txt', 'inner.sbatch']
  const run = work.srun(['--nodes=1', '--ntasks=1'], submit)
  work.expectFile('inner.txt')
  await run.expectStatus(78)
  expect(await work.textOf('inner.txt')).toContain('srun')
  await work.expectNothingLeft()
})
