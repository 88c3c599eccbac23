import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cluster, type Started, programs } from '../support/cluster.ts'
import { deadSchedulerFile, startDaskScheduler } from '../support/dask.ts'
import { canMount, MountedMemory } from '../support/mount.ts'
import { fourTasks, startTasks } from '../support/step.ts'

const submit = ['--', 'python3', join(programs, 'submit.py')]
/** Longer than any of these takes on a slow machine, and far shorter than the five minutes of a wait. */
const seconds = 25_000

/** Checks that a run ends within seconds, with 73 and a message that fits. */
async function expectRefusal(run: Started, message: RegExp): Promise<void> {
  const begin = performance.now()
  await run.expectStatus(73)
  expect(performance.now() - begin, run.output).toBeLessThan(seconds)
  expect(run.stderr).toMatch(message)
  expect(run.output).not.toMatch(/Traceback|^ +at /m)
}

/** Rank 0, which is the first, tells for all. */
async function expectRefusals(runs: readonly Started[], message: RegExp): Promise<void> {
  const [zero, ...others] = runs
  if (zero === undefined) throw new Error('not started')
  await expectRefusal(zero, message)
  for (const run of others) {
    await run.expectStatus(73)
    expect([run.stdout, ...run.words()]).toEqual([''])
  }
}

// What else may stand at the path: test/rendezvous/file/path-state.test.ts.
test('replaces the file of a dead scheduler with a notice, and the run works', async () => {
  await using cluster = await Cluster.make()
  await writeFile(cluster.path('F.json'), await deadSchedulerFile())
  const run = cluster.run(['local', '-n', '3', '--scheduler-file', 'F.json', ...submit])
  await run.expectStatus(0)
  expect(run.stdout).toBe('result 21\n')
  expect(run.stderr).toMatch(/Replacing ".*F\.json", whose scheduler at \S+ is gone/)
  expect(run.stderr.match(/warn/g), run.stderr).toHaveLength(1)
  await cluster.expectNothingLeft()
})

test('leaves a Python source file at the path alone, and ends', async () => {
  await using cluster = await Cluster.make()
  const text = 'import sys\n\nprint("precious")\n'
  await writeFile(cluster.path('F'), text)
  const run = cluster.run(['local', '-n', '1', '--scheduler-file', 'F', ...submit])
  await expectRefusal(run, /Cannot publish ".*\/F": a file that is not ours stands there: .*; name another path/)
  expect(await readFile(cluster.path('F'), 'utf8')).toBe(text)
  cluster.expectFile('F')
  await cluster.expectNothingLeft()
})

test('leaves a directory at the path alone, and ends', async () => {
  await using cluster = await Cluster.make()
  await mkdir(cluster.path('F'))
  await writeFile(cluster.path('F/precious'), 'precious')
  const run = cluster.run(['local', '-n', '1', '--scheduler-file', 'F', ...submit])
  await expectRefusal(
    run,
    /Cannot publish ".*\/F": what stands there is left alone: it is a directory, not a regular file; name another path/,
  )
  expect(await readFile(cluster.path('F/precious'), 'utf8')).toBe('precious')
  cluster.expectFile('F')
  await cluster.expectNothingLeft()
})

test('leaves the file of a living scheduler alone, and ends', async () => {
  await using cluster = await Cluster.make()
  const scheduler = await startDaskScheduler(cluster, cluster.path('F.json'))
  const before = await readFile(cluster.path('F.json'), 'utf8')
  const run = cluster.run(['local', '-n', '1', '--scheduler-file', 'F.json', ...submit])
  await expectRefusal(run, /Cannot publish ".*\/F\.json": the Dask scheduler that it names answers at tcp:.*; end that/)
  expect(await readFile(cluster.path('F.json'), 'utf8')).toBe(before)
  scheduler.signal('SIGTERM')
  await scheduler.ended
  await cluster.expectNothingLeft()
})

test('tells once in a step that a file in the way is not ours', async () => {
  await using cluster = await Cluster.make()
  const text = '{"precious": true}'
  await writeFile(cluster.path('F.json'), text)
  const runs = startTasks(cluster, fourTasks(), ['--scheduler-file', 'F.json', ...submit])
  await expectRefusals(runs, /Cannot publish ".*\/F\.json": a file that is not ours stands there/)
  expect(await readFile(cluster.path('F.json'), 'utf8')).toBe(text)
  cluster.expectFile('F.json')
  await cluster.expectNothingLeft()
})

test.skipIf(!canMount)('tells every process that the directory is read-only', async () => {
  await using cluster = await Cluster.make()
  await using memory = await MountedMemory.on(cluster.path('directory'))
  await writeFile(cluster.path('directory/F.json'), await deadSchedulerFile())
  const before = await readFile(cluster.path('directory/F.json'))
  await memory.makeReadOnly()
  const args = ['--scheduler-file', 'directory/F.json', ...submit]
  const message = /Cannot publish ".*directory\/.*F\.json.*": the filesystem is read-only \(EROFS\)/
  const runs = startTasks(cluster, fourTasks(), args)
  const local = cluster.run(['local', '-n', '3', ...args])
  // Each may see another filesystem there, and nobody can be told.
  await Promise.all([...runs, local].map(async (run) => expectRefusal(run, message)))
  expect(await readFile(cluster.path('directory/F.json'))).toEqual(before)
  cluster.expectFile('directory')
  await cluster.expectNothingLeft()
})

test.skipIf(!canMount)('tells once in a step that the directory is full', async () => {
  await using cluster = await Cluster.make()
  await using memory = await MountedMemory.on(cluster.path('directory'))
  await writeFile(cluster.path('directory/F.json'), await deadSchedulerFile())
  const before = await readFile(cluster.path('directory/F.json'))
  await memory.fill()
  const names = await readdir(cluster.path('directory'))
  const args = ['--scheduler-file', 'directory/F.json', ...submit]
  const runs = startTasks(cluster, fourTasks(), args)
  const local = cluster.run(['local', '-n', '3', ...args])
  const full = /Cannot publish .*F.json.* no space is left on the filesystem/
  await expectRefusal(local, full)
  await expectRefusals(runs, full)
  expect(await readFile(cluster.path('directory/F.json'))).toEqual(before)
  // Word for processes that come late, without a byte in it: of who has come, rank 0 could not hear.
  const added = (await readdir(cluster.path('directory'))).filter((name) => !names.includes(name))
  for (const name of added) {
    expect(name).toBe('.F.json.run-sim-7.0-r0')
    expect(await readdir(cluster.path(`directory/${name}`))).toEqual(expect.arrayContaining(['outcome.json']))
  }
  cluster.expectFile('directory')
  await cluster.expectNothingLeft()
})

test('makes a directory that is missing, and leaves nothing in it', async () => {
  await using cluster = await Cluster.make()
  const run = cluster.run(['local', '-n', '3', '--scheduler-file', 'made/for/F.json', ...submit])
  await run.expectStatus(0)
  expect(run.stdout).toBe('result 21\n')
  run.expectNoAlarm()
  expect(await readdir(cluster.work, { recursive: true })).toEqual(['made', 'made/for'])
  cluster.expectFile('made')
  await cluster.expectNothingLeft()
})

test('clears what a killed run of four tasks has left, even of the same step', async () => {
  await using cluster = await Cluster.make()
  const args = ['--scheduler-file', 'F.json', '--', 'python3', join(programs, 'hold.py'), 'go']
  const killed = startTasks(cluster, fourTasks(), args)
  await killed[1]?.expectOutput('ready')
  killAtOnce(cluster)
  await Promise.all(killed.map(async ({ ended }) => ended))
  const left = await readdir(cluster.work)
  expect(left).toHaveLength(2)
  expect(left).toEqual(expect.arrayContaining(['F.json', expect.stringMatching(/^\.F\.json\.run-/)]))
  await clearTemporary(cluster)

  const same = startTasks(cluster, fourTasks(), ['--scheduler-file', 'F.json', ...submit])
  for (const run of same) await run.expectStatus(0)
  expect(same[1]?.stdout).toBe('result 21\n')
  expect(same[0]?.stderr).toMatch(/Replacing ".*F\.json" of run \S+ on host node0 \(process id \d+\), which is gone/)
  await cluster.expectNothingLeft()
})

test('clears what a killed local run has left', async () => {
  await using cluster = await Cluster.make()
  const args = ['local', '-n', '3', '--scheduler-file', 'F.json']
  const killed = cluster.run([...args, '--', 'python3', join(programs, 'hold.py'), 'go'])
  await killed.expectOutput('ready')
  killAtOnce(cluster)
  await killed.ended
  const left = await readdir(cluster.work)
  expect(left).toHaveLength(2)
  expect(left).toEqual(expect.arrayContaining(['F.json', expect.stringMatching(/^\.F\.json\.run-/)]))
  await clearTemporary(cluster)

  const run = cluster.run([...args, ...submit])
  await run.expectStatus(0)
  expect(run.stdout).toBe('result 21\n')
  expect(run.stderr).toMatch(/Replacing ".*F\.json" of run local\S+ on host \S+ \(process id \d+\), which is gone/)
  await cluster.expectNothingLeft()
})

/** Kills every process of the test, in such a way that no reaper sees another process's end. */
function killAtOnce(cluster: Cluster): void {
  cluster.signalAll('SIGSTOP')
  cluster.signalAll('SIGKILL')
}

/** Removes the workers' directories of a killed run, whose reapers were killed too: they are their node's own. */
async function clearTemporary(cluster: Cluster): Promise<void> {
  const directory = join(cluster.directory, 'tmp')
  await rm(directory, { recursive: true })
  await mkdir(directory)
}
