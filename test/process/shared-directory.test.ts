import { createHash } from 'node:crypto'
import { readdir, readFile, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Cluster, type Started } from '../support/cluster.ts'
import { makeShared, shellAs, stranger, test, user } from '../support/second-user.ts'
import { fourTasks } from '../support/step.ts'
import { until } from '../support/until.ts'

const kinds = ['sticky', 'group'] as const
type Kind = (typeof kinds)[number]

/** The run's directory of the step of {@link fourTasks}, beside a scheduler file F.json. */
const runDirectory = '.F.json.run-sim-7.0-r0'
/** Longer than a refusal takes on a slow machine, and far shorter than the five minutes of a wait. */
const seconds = 25_000

/** A cluster of an ordinary user whose scheduler file is in a directory where a stranger may write, too. */
class SharedPlace implements AsyncDisposable {
  readonly cluster: Cluster
  readonly shared: string

  private constructor(cluster: Cluster, shared: string) {
    this.cluster = cluster
    this.shared = shared
  }

  static async make(kind: Kind): Promise<SharedPlace> {
    const cluster = await Cluster.make({ user })
    return new SharedPlace(cluster, await makeShared(cluster.directory, 'shared', kind))
  }

  /** What `script` does as the stranger, in the shared directory; the user's home is $1. */
  async attack(script: string): Promise<void> {
    await shellAs(stranger, `cd "$2"; ${script}`, this.home, this.shared)
  }

  /** A directory of the user's own with files that a run's have the names of, beside the home where only he may look. */
  async precious(path = join(this.home, 'thesis')): Promise<Precious> {
    const files = ['outcome.json', 'record.json', 'process-0.json', 'gone-1', 'here-1.node1', 'start.json', 'notes']
    await shellAs(
      user,
      `umask 077; mkdir "$1"; for f in ${files.join(' ')}; do echo "precious $f" >"$1/$f"; done`,
      path,
    )
    return await Precious.of(path)
  }

  /** Starts process `rank` of the step. */
  run(rank: number, ...flags: readonly string[]): Started {
    const scheduler = ['--scheduler-file', join(this.shared, 'F.json')]
    return this.cluster.run(['run', ...scheduler, ...flags, '--', 'true'], fourTasks()[rank])
  }

  /** Starts a run of `size` processes. */
  local(size: number, ...flags: readonly string[]): Started {
    const scheduler = ['--scheduler-file', join(this.shared, 'F.json')]
    return this.cluster.run(['local', '-n', String(size), ...scheduler, ...flags, '--', 'true'])
  }

  get home(): string {
    return join(this.cluster.directory, 'home')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]()
  }
}

/** A directory whose files are to stay what they are. */
class Precious {
  readonly path: string
  readonly #before: unknown

  private constructor(path: string, before: unknown) {
    this.path = path
    this.#before = before
  }

  static async of(path: string): Promise<Precious> {
    return new Precious(path, await snapshot(path))
  }

  async expectUntouched(path = this.path): Promise<void> {
    expect(await snapshot(path)).toEqual(this.#before)
  }
}

/** Names, inodes, modes and contents. */
async function snapshot(path: string): Promise<unknown> {
  const names = (await readdir(path)).toSorted()
  return await Promise.all(
    names.map(async (name) => {
      const { ino, mode, uid } = await stat(join(path, name))
      const content = createHash('sha256').update(await readFile(join(path, name)))
      return [name, ino, mode, uid, content.digest('hex')]
    }),
  )
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
    const link = 'ln -s "$1/file" $d/here-0.node0; ln -s "$1/file" $d/here-1.node1; ln -s "$1/file" $d/gone-1'
    await place.attack(`d=${runDirectory}; mkdir $d; ${link}; : >$d/failed-0-the-run-is-over; chmod ${mode} $d`)
    const runs = [0, 1].map((rank) => place.run(rank))
    await expectRefusals(
      runs,
      new RegExp(
        `Cannot publish ".*/${runDirectory}": ${ofStranger} \\(mode [02]${mode.slice(1)}\\); have it removed, or name`,
      ),
    )
    await mine.expectUntouched()
    expect((await readdir(join(place.shared, runDirectory))).toSorted()).toEqual([
      'failed-0-the-run-is-over',
      'gone-1',
      'here-0.node0',
      'here-1.node1',
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
    async () => await readdir(join(shared, runDirectory)).catch(() => []),
    (names) => names.length === 2,
    { what: 'two processes have come', say: (names) => names.join() },
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
] as const)(
  '%s of a stranger is not read as the scheduler file or its owner, and every process is told',
  async ([, make, why]) => {
    for (const name of ['F.json', '.F.json.owner']) {
      await using place = await SharedPlace.make('sticky')
      await place.attack(`${make} ${name}`)
      await expectRefusals(
        [place.local(2)],
        new RegExp(`Cannot publish ".*/${name.replaceAll('.', '\\.')}": .*${why}.*; .*name an`),
      )
      await place.cluster.expectNothingLeft()
    }
  },
)

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
