import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { expectNothingFound, foundIn } from '../support/doctor-report.ts'
import { slurmTest } from '../support/slurm/slurm-test.ts'
import { until } from '../support/until.ts'

// Each host has a second interface, whose address no other host reaches.
const test = slurmTest({ deadEnd: true })
// Each host has a mount of its own, which believes for 4 s what it has seen, missing names included.
const testWithCaches = slurmTest({ cacheSeconds: 4 })
const four = ['--nodes=4', '--ntasks=4']
/** The processes may be slow to tell; it goes on as soon as all have. */
const inTime = ['--timeout', '4m']

/** The doctor, with what is to be done before it in the process of `rank`. */
function doctorWith(rank: number, before: string, ...args: readonly string[]): string[] {
  const script = `if [ "$SLURM_PROCID" = ${rank} ]; then ${before}; fi; exec dask-hpc-runner doctor "$@"`
  return ['bash', '-c', script, 'bash', ...args]
}

test('finds nothing on four healthy hosts, and says so once', async ({ work }) => {
  await work.write('client.py', '')
  const step = work.srun(four, ['dask-hpc-runner', 'doctor', ...inTime, '--', 'python', 'client.py'])
  await step.expectStatus(0)
  expect(step.stderr).toBe('')
  expectNothingFound(step.stdout)
  for (const line of [
    /^ok +identity +rank 0 of 4 on node0, of 4 nodes \(SLURM_NODEID=0 of SLURM_STEP_NUM_NODES=4\)/m,
    /^ok +slurm +slurm-wlm .*KillWait/m,
    /^ok +dask +the same Python and versions in ranks 0, 2-3 \(node0, node2, node3\)$/m,
    /^ok +directory +all 4 processes see "/m,
    /^ok +network +the scheduler would listen on \S+ \(eth0\), on the network that the workload manager uses$/m,
    /^ok +network +ranks 1-3 \(node1, node2, node3\) reach rank 0 at /m,
    /^ok +client +"python client.py" runs in the same Python$/m,
  ])
    expect(step.stdout.match(new RegExp(line, 'gm')), `${String(line)}\n${step.stdout}`).toHaveLength(1)
  await work.expectNothingLeft()
})

test('names the host that sees another directory', async ({ work, slurm }) => {
  await mkdir(work.path('place'))
  work.expectFile('place')
  const place = join(work.directory, 'place')
  await slurm.on('node2', ['mount', '-t', 'tmpfs', 'tmpfs', place])
  try {
    const args = ['doctor', '--timeout', '15s', '--scheduler-file', 'place/F.json']
    const step = work.srun(four, ['dask-hpc-runner', ...args])
    await step.expectStatus(78)
    expect(step.stdout).toMatch(
      new RegExp(
        `^problem +directory +no word of rank 2 \\(node2\\) in "${place}" within 1[5-9](\\.\\d)? s: they see another`,
        'm',
      ),
    )
    expect(step.stdout).toContain('-> name a scheduler file in a directory that all nodes share')
    expect(await slurm.on('node2', ['ls', '-A', place])).toBe('')
  } finally {
    await slurm.on('node2', ['umount', place])
  }
  expect(await readdir(work.path('place'))).toEqual([])
  await work.expectNothingLeft()
})

test('recognises a directory of which each host has its own', async ({ work, slurm }) => {
  const step = work.srun(four, ['dask-hpc-runner', 'doctor', '--timeout', '5s', '--scheduler-file', '/tmp/own/F.json'])
  await step.expectStatus(78)
  expect(step.stdout).toMatch(
    /no word of ranks 1-3 \(node1, node2, node3\) in "\/tmp\/own" within [5-9](\.\d)? s: it is on a local filesystem of node0 \(tmpfs\)/,
  )
  for (const node of slurm.nodes) expect(await slurm.on(node, ['ls', '-A', '/tmp'])).not.toMatch(/F\.json|own/)
  await work.expectNothingLeft()
})

test('a process that cannot write says so itself', async ({ work, slurm }) => {
  await mkdir(work.path('place'))
  work.expectFile('place')
  const place = join(work.directory, 'place')
  await slurm.on('node1', ['mount', '-t', 'tmpfs', '-o', 'ro', 'tmpfs', place])
  try {
    const args = ['doctor', '--timeout', '15s', '--scheduler-file', 'place/F.json']
    const step = work.srun(four, ['dask-hpc-runner', ...args])
    await step.expectStatus(78)
    expect(step.stdout).toMatch(/rank 1 \(node1\): Cannot publish a file in .*read-only \(EROFS\)/)
    expect(step.stdout).toMatch(/no word of rank 1 \(node1\)/)
  } finally {
    await slurm.on('node1', ['umount', place])
  }
  expect(await readdir(work.path('place'))).toEqual([])
  await work.expectNothingLeft()
})

test('names the host that has another Dask', async ({ work }) => {
  await mkdir(work.path('other/distributed'), { recursive: true })
  await writeFile(work.path('other/distributed/__init__.py'), '__version__ = "2021.1.0"\n')
  work.expectFile('other')
  const command = doctorWith(
    3,
    `export PYTHONPATH=${join(work.directory, 'other')} PYTHONDONTWRITEBYTECODE=1 DASK_A__B=1`,
    ...inTime,
  )
  const step = work.srun(four, command)
  await step.expectStatus(78)
  expect(step.stdout).toMatch(/^problem +dask +rank 3 \(node3\) has distributed 2021\.1\.0 and not 2\S+ \(\S+\)$/m)
  expect(step.stdout).toMatch(
    /^note +environment +rank 3 \(node3\): configures Dask in every part of the run: DASK_A__B$/m,
  )
  expect(
    foundIn(step.stdout)
      .map((line) => line.replace(/ {2}.*/, ''))
      .sort(),
    step.stdout,
  ).toEqual(['problem', 'warning', 'warning'])
  expect(step.stdout).toMatch(/^1 problem, \d warnings$/m)
  await work.expectNothingLeft()
})

test('recognises a network that the hosts do not share', async ({ work }) => {
  const step = work.srun(four, ['dask-hpc-runner', 'doctor', ...inTime, '--interface', 'eth1'])
  await step.expectStatus(78)
  expect(step.stdout).toMatch(
    /^problem +network +ranks 1-3 \(.*\) gets? no answer at .*, where rank 0 on node0 listens$/m,
  )
  await work.expectNothingLeft()
})

test('gives the findings as JSON', async ({ work }) => {
  const step = work.srun(four, [
    'dask-hpc-runner',
    'doctor',
    ...inTime,
    '--json',
    '--layout',
    'shared',
    '--grace',
    '60s',
  ])
  await step.expectStatus(0)
  const findings = JSON.parse(step.stdout) as unknown[]
  expect(findings).toContainEqual({ level: 'ok', subject: 'role', finding: 'scheduler, client, worker' })
  expect(findings).toContainEqual({
    level: 'warning',
    subject: 'slurm',
    finding: expect.stringMatching(/\(KillWait\), and the grace of this run is 60 s$/) as string,
    advice: expect.stringMatching(/^--grace \d+s$/) as string,
  })
  await work.expectNothingLeft()
})

test('a script that forgets srun is told so', async ({ work }) => {
  const job = await work.sbatch('#!/bin/bash\ndask-hpc-runner doctor\n', four)
  await work.expectEnd(job, { JobState: 'FAILED', ExitCode: '78:0' })
  expect(await work.outputOf(job)).toMatch(/^problem +identity .*\n +-> start me with srun$/m)
  await work.expectNothingLeft()
})

test('leaves nothing where it is cancelled while it waits', async ({ work, slurm }) => {
  const job = await work.sbatch(
    `#!/bin/bash\nsrun bash -c 'if [ "$SLURM_PROCID" = 3 ]; then sleep 300; fi; exec dask-hpc-runner doctor --timeout 5m'\n`,
    four,
  )
  await until(
    async () => await readdir(work.path('.')),
    (names) => names.some((name) => name.includes('.doctor-')),
    { what: 'the processes meet', say: (names) => names.join(' ') },
  )
  await slurm.on('login', ['scancel', job])
  await slurm.wait(job)
  await work.expectNothingLeft()
})

testWithCaches('compares the processes on a filesystem that caches', async ({ work }) => {
  const step = work.srun(four, ['dask-hpc-runner', 'doctor', ...inTime])
  await step.expectStatus(0)
  expect(step.stdout).toMatch(/^ok +directory +".*" \(fuse\S*, of a network, or unknown\)/m)
  expect(step.stdout).toMatch(/^ok +directory +all 4 processes see "/m)
  await work.expectNothingLeft()
})
