import { chmod, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Started } from '../support/cluster.ts'
import { deadSchedulerFile } from '../support/dask.ts'
import { shellAs, stranger, test, user } from '../support/second-user.ts'
import { Precious, runDirectory, SharedPlace } from '../support/shared-place.ts'
import { fourTasks } from '../support/step.ts'
import { openFile } from '../support/stuck.ts'
import { until } from '../support/until.ts'

const kinds = ['sticky', 'group'] as const
/** Longer than a refusal takes on a slow machine, and far shorter than the five minutes of a wait. */
const seconds = 25_000

/** Whether a process has looked into a directory, and waits for events of it. */
function waitsForEvents(pid: number): boolean {
  return Array.from({ length: 64 }, (_, fd) => openFile(pid, fd)).includes('anon_inode:inotify')
}

/** Checks that each ends within seconds with 73 and a sentence that says why. */
async function expectRefusals(runs: readonly Started[], message: RegExp): Promise<void> {
  const begin = performance.now()
  await Promise.all(runs.map(async (run) => await run.expectStatus(73)))
  expect(performance.now() - begin).toBeLessThan(seconds)
  for (const run of runs) {
    expect(run.stderr).toMatch(message)
    expect(run.output).not.toMatch(/Traceback|^ +at /m)
  }
}

const ofStranger = `it belongs to the user with number ${stranger.uid}`

test.for(kinds.flatMap((kind) => ['0700', '0777'].map((mode) => [kind, mode] as const)))(
  'in a %s directory a run directory that a stranger has made with mode %s is used by no process',
  async ([kind, mode]) => {
    await using place = await SharedPlace.make(kind)
    const { home } = place
    await shellAs(user, 'chmod 755 "$1"; echo mine >"$1/file"', home)
    const mine = await Precious.of(home)
    const link = 'ln -s "$1/file" $d/coordinator.json; ln -s "$1/file" $d/exited-1.json'
    await place.attack(`d=${runDirectory}; mkdir $d; ${link}; : >$d/exited-0.json; chmod ${mode} $d`)
    const runs = [0, 1].map((rank) => place.run(rank))
    await expectRefusals(
      runs,
      new RegExp(
        `Cannot publish ".*/${runDirectory}": ${ofStranger} \\(mode [02]${mode.slice(1)}\\); have it removed, or name`,
      ),
    )
    await mine.expectUntouched()
    expect((await readdir(join(place.shared, runDirectory))).toSorted()).toEqual([
      'coordinator.json',
      'exited-0.json',
      'exited-1.json',
    ])
    await place.cluster.expectNothingLeft()
  },
)

test.for(kinds)('in a %s directory nothing is written through a link in the place of a run directory', async (kind) => {
  await using place = await SharedPlace.make(kind)
  const thesis = await place.precious()
  await place.attack(`ln -s "$1/thesis" ${runDirectory}`)
  const runs = [0, 1].map((rank) => place.run(rank))
  await expectRefusals(
    runs,
    new RegExp(`Cannot publish ".*/${runDirectory}": a symbolic link is in its place; have it`),
  )
  await thesis.expectUntouched()
  await place.cluster.expectNothingLeft()
})

test.for(kinds)(
  'in a %s directory clearing what other runs have left follows no link, and spares what no run has written',
  async (kind) => {
    await using place = await SharedPlace.make(kind)
    const thesis = await place.precious()
    // As long ago as what has ended may be looked for.
    const longAgo = new Date(Date.now() - 3_600_000)
    await utimes(thesis.path, longAgo, longAgo)
    await place.attack('ln -s "$1/thesis" .F.json.run-x')
    // Beside it, and in a group's directory, his private one can be given such a name.
    const moved = await place.precious(join(place.shared, kind === 'group' ? 'private' : '.F.json.run-y'))
    if (kind === 'group') await place.attack('mv private .F.json.run-y')
    await utimes(join(place.shared, '.F.json.run-y'), longAgo, longAgo)
    // There is no such Python: that is found out after the claim.
    const run = place.local(1, '--python', '/bin/false')
    await run.ended
    expect(run.stderr).toContain('/bin/false')
    await thesis.expectUntouched()
    await moved.expectUntouched(join(place.shared, '.F.json.run-y'))
    await place.cluster.expectNothingLeft()
  },
)

test('a run directory that is swapped while processes wait in it is believed no more, and nothing in its place is touched', async () => {
  await using place = await SharedPlace.make('group')
  const { shared } = place
  const moved = await place.precious(join(shared, 'private'))
  const runs = [place.run(1), place.run(2)]
  await until(
    () => place.cluster.processes().filter(waitsForEvents).length,
    (count) => count === 2,
    { what: 'two processes wait', say: String },
  )
  // At no moment is there no directory, for all that they see.
  for (const run of runs) run.signal('SIGSTOP')
  await place.attack(`mv ${runDirectory} away; mv private ${runDirectory}`)
  for (const run of runs) run.signal('SIGCONT')
  await expectRefusals(runs, /Cannot publish ".*": another directory has been put in its place; have it removed/)
  await moved.expectUntouched(join(shared, runDirectory))
  await place.cluster.expectNothingLeft()
})

test.for([
  ['a named pipe', 'mkfifo', 'it is a named pipe, not a regular file'],
  ['a readable file', 'f() { echo "{}" >$1; chmod 644 $1; }; f', ofStranger],
  ['a link', 'ln -s /dev/zero', 'it is a symbolic link'],
] as const)('%s of a stranger is not read as the scheduler file, and every process is told', async ([, make, why]) => {
  await using place = await SharedPlace.make('sticky')
  await place.attack(`${make} F.json`)
  await expectRefusals([place.local(2)], new RegExp(`Cannot publish ".*/F\\.json": .*${why}.*; .*name an`))
  await place.cluster.expectNothingLeft()
})

test('doctor uses no directory of a stranger, and says whose it is', async () => {
  await using place = await SharedPlace.make('sticky')
  const thesis = await place.precious()
  const [directory, link] = ['.F.json.doctor-sim-7.0-r0', '.G.json.doctor-sim-7.0-r0']
  await place.attack(
    `mkdir -m 777 ${directory}; ln -s /etc/passwd ${directory}/here-0.node0; ln -s "$1/thesis" ${link}`,
  )
  const examine = (name: string): Started =>
    place.cluster.run(['doctor', '--scheduler-file', join(place.shared, name)], fourTasks()[0])
  const [first, second] = [examine('F.json'), examine('G.json')]
  for (const run of [first, second]) await run.expectStatus(78)
  expect(first.output).toMatch(new RegExp(`Cannot use ".*/${directory}": ${ofStranger}`))
  expect(second.output).toMatch(new RegExp(`Cannot use ".*/${link}": a symbolic link is in its place`))
  await thesis.expectUntouched()
  expect((await readdir(place.shared)).toSorted()).toEqual([directory, link])
  await place.cluster.expectNothingLeft()
})

test('the scheduler file of a stranger is used by nobody who would run his code, and a copy is', async () => {
  await using place = await SharedPlace.make('sticky')
  await writeFile(join(place.cluster.directory, 'text'), await deadSchedulerFile())
  await place.attack('cat ../text >F.json; chmod 644 F.json')
  const [his, mine] = [join(place.shared, 'F.json'), place.cluster.path('F.json')]
  await shellAs(user, 'umask 022; cp "$1" "$2"', his, mine)
  const commands: readonly (readonly [status: number, ...args: string[]])[] = [
    [69, 'wait', '--timeout', '30s', '--scheduler-file'],
    [69, 'stop', '--scheduler-file'],
    [69, 'env', '--timeout', '30s', '--scheduler-file'],
    [78, 'doctor', '--no-scheduler', '--scheduler-file'],
    [69, 'local', '-n', '1', '--no-scheduler', '--no-client', '--rendezvous-timeout', '30s', '--scheduler-file'],
  ]
  await Promise.all(
    commands.map(async ([status, ...args]) => {
      const refused = place.cluster.run([...args, his])
      await refused.expectStatus(status)
      expect(refused.output).toMatch(
        `${ofStranger.replace('it', '": it')}, and whoever writes it can run code as you; if`,
      )
      const taken = place.cluster.run([...args, mine])
      await taken.ended
      expect(taken.output).toMatch(/its scheduler.* is gone/)
    }),
  )
  const status = place.cluster.run(['status', '--scheduler-file', his])
  await status.ended
  expect(status.output).toMatch(/its scheduler is gone/)
  // Whoever may write a file of this user's makes it his own word.
  await chmod(mine, 0o666)
  await Promise.all(
    commands.map(async ([status, ...args]) => {
      const open = place.cluster.run([...args, mine])
      await open.expectStatus(status)
      expect(open.output).toMatch('everybody may write it (mode 0666), and whoever writes it can run code as you')
    }),
  )
  place.cluster.expectFile('F.json')
  await place.cluster.expectNothingLeft()
})

test('the lock of a stranger is not waited for', async () => {
  await using place = await SharedPlace.make('sticky')
  // Only to replace what is stale a lock is taken.
  await shellAs(user, ': >"$1/F.json"', place.shared)
  await place.attack('mkdir .F.json.lock')
  await expectRefusals([place.local(1)], new RegExp(`Cannot publish ".*": its lock ".*" is there, and ${ofStranger}`))
  await place.cluster.expectNothingLeft()
})

test('a report replaces an empty file and a report, and nothing else', async () => {
  await using place = await SharedPlace.make('sticky')
  const { cluster } = place
  const paths = ['mine.json', '../shared/his.json', 'link.json', 'empty.json'].map((name) => cluster.path(name))
  const [mine = '', his = '', link = '', empty = ''] = paths
  await shellAs(user, 'cd "$1"; echo "{}" >mine.json; ln -s mine.json link.json; : >empty.json', cluster.work)
  await place.attack('echo "{}" >his.json; chmod 666 his.json')
  const report = async (path: string): Promise<Started> => {
    const run = place.local(1, '--python', '/bin/false', '--report', path)
    await run.ended
    return run
  }
  for (const path of [mine, his, link]) {
    expect((await report(path)).stderr).toMatch(/warn: Cannot write the report ".*": (what stands there is no|it )/)
    expect(await readFile(path, 'utf8')).toBe('{}\n')
  }
  for (let time = 0; time < 2; time++) {
    expect((await report(empty)).stderr).not.toContain('Cannot write the report')
    expect(JSON.parse(await readFile(empty, 'utf8'))).toMatchObject({ version: 1, processes: 1 })
  }
  for (const name of ['mine.json', 'link.json', 'empty.json']) cluster.expectFile(name)
  await cluster.expectNothingLeft()
})
