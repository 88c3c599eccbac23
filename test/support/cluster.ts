import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'vitest'
import { matches } from './matches.ts'
import { commandLine, describeProcess, environment, isInExec, kill, parentOf, pids } from './processes.ts'
import { asUser, canRun, environmentOf, makePrivate, type User } from './second-user.ts'
import { Started } from './started.ts'
import { until } from './until.ts'

export { Started } from './started.ts'

const root = resolve(import.meta.dirname, '../..')
/** The program under test, as it is published. */
export const program = join(root, 'dist/cli.cjs')
/** Python and TypeScript programs for tests. */
export const programs = join(root, 'fixtures/programs')

/** The Python that has Dask: `npm test` finds it. */
export const python = process.env.DASK_HPC_RUNNER_TEST_PYTHON ?? '/usr/bin/python3'

/** Who starts what a test starts. */
export interface ClusterOptions {
  /** An ordinary user. @default the one who runs the tests, which is root in CI */
  readonly user?: User
}

/** Where the processes of one test live: a directory, an environment, and the check that nothing is left. */
export class Cluster implements AsyncDisposable {
  /** Working directory of everything that the test starts. */
  readonly directory: string
  readonly #user: User | undefined
  /** The Node and the program that the test starts. */
  #node = process.execPath
  #program = program
  readonly #started: Started[] = []
  readonly #expectedFiles = new Set<string>()
  readonly #expectedTemporary = new Set<string>()

  private constructor(directory: string, user: User | undefined) {
    this.directory = directory
    this.#user = user
  }

  static async make({ user }: ClusterOptions = {}): Promise<Cluster> {
    const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
    const cluster = new Cluster(await mkdtemp(join(base, 'dask-hpc-runner-test-')), user)
    const { directory } = cluster
    const names = ['work', 'tmp', ...(user === undefined ? [] : ['home'])]
    for (const path of names.map((name) => join(directory, name)))
      await (user === undefined ? mkdir(path) : makePrivate(user, path))
    await mkdir(join(directory, 'bin'))
    const wrapper = join(directory, 'bin/python3')
    await writeFile(wrapper, `#!/bin/sh\nexec '${python}' "$@"\n`)
    await chmod(wrapper, 0o755)
    if (user !== undefined) await cluster.#open(user)
    return cluster
  }

  /** Lets a user in, and gives him copies of what stands where he may not look, as in the home of root. */
  async #open(user: User): Promise<void> {
    await chmod(this.directory, 0o755)
    const [node, cli] = [join(this.directory, 'bin/node'), join(this.directory, 'bin/cli.cjs')]
    if (!canRun(user, [this.#node, '--version'])) {
      await copyFile(this.#node, node)
      this.#node = node
    }
    await copyFile(program, cli)
    await chmod(cli, 0o644)
    this.#program = cli
  }

  /** The directory in which programs run, and where scheduler files are published by default. */
  get work(): string {
    return join(this.directory, 'work')
  }

  /** A path in the working directory. */
  path(name: string): string {
    return join(this.work, name)
  }

  /**
   * The environment of what the test starts: that of the test without a job's variables, and without a file of authorities, which
   * each Python with Dask would read at its start.
   */
  get env(): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(([name]) => !/^(SLURM|PMI|OMPI|DASK|VITEST|NODE_|SSL_)/.test(name))
    return {
      ...Object.fromEntries(own),
      PATH: `${join(this.directory, 'bin')}:${process.env.PATH ?? ''}`,
      TMPDIR: join(this.directory, 'tmp'),
      ...(this.#user && environmentOf(this.#user, join(this.directory, 'home'))),
    }
  }

  /** Starts `dask-hpc-runner` with these arguments. */
  run(args: readonly string[], env: NodeJS.ProcessEnv = {}, directory = this.work): Started {
    return this.start(this.command(...args), env, directory)
  }

  /** The command line of `dask-hpc-runner` with these arguments. */
  command(...args: readonly string[]): [string, ...string[]] {
    return [this.#node, this.#program, ...args]
  }

  /** Starts any program. */
  start(command: readonly [string, ...string[]], env: NodeJS.ProcessEnv = {}, directory = this.work): Started {
    // Dask's own schedulers and workers leave these.
    if (command.some((word) => word.startsWith('distributed.cli.')))
      for (const name of ['dask-worker-space', 'dask-scratch-space']) this.expectTemporary(name)
    const [first, ...rest] = command
    const [file, args] = this.#user === undefined ? [first, rest] : asUser(this.#user, command)
    const started = new Started(
      spawn(file, args, { cwd: directory, env: { ...this.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }),
      { family: () => this.processes() },
    )
    this.#started.push(started)
    return started
  }

  /** A file or directory in the working directory that may be there at the end; `*` stands for anything. */
  expectFile(name: string): void {
    this.#expectedFiles.add(name)
  }

  /** The same in the temporary directory. */
  expectTemporary(name: string): void {
    this.#expectedTemporary.add(name)
  }

  /**
   * Process ids of everything that this test has started and all that came of it: the test's
   * directory stands in the PATH of each, reapers included.
   */
  processes(): number[] {
    const bin = join(this.directory, 'bin')
    const isOurs = (entry: string): boolean => entry.startsWith('PATH=') && entry.slice(5).split(':').includes(bin)
    return pids().filter((pid) => environment(pid).some(isOurs))
  }

  /** Waits until one of the test's processes has `text` in its command line; gives its id. */
  async expectProcess(text: string): Promise<number> {
    const lines = await until(
      () => this.processes().map(describeProcess),
      (all) => all.some((line) => line.includes(text)),
      { what: `a process with "${text}" is there`, say: (all) => all.join('\n'), interval: 100 },
    )
    return Number.parseInt(lines.find((line) => line.includes(text)) ?? '')
  }

  /** The process id of the parent of `pid`. */
  parentOf(pid: number): number {
    const parent = parentOf(pid)
    // Neither stands for a process of a test, and -1 for all that there are.
    if (parent <= 1) throw new Error(`Process ${pid} has ended, or has no parent`)
    return parent
  }

  /** Process ids of the other `dask-hpc-runner` processes that the launcher `pid` has started. */
  membersOf(pid: number): number[] {
    return this.processes().filter((each) => commandLine(each).includes('member') && parentOf(each) === pid)
  }

  /** Sends `signal` to every process of the test at once. */
  signalAll(signal: NodeJS.Signals): void {
    for (const pid of this.processes()) kill(pid, signal)
  }

  /** Checks that no process and no file is left. */
  async expectNothingLeft(): Promise<void> {
    await until(
      () => this.processes(),
      // One of ours may have been in exec, such as what removes the files.
      (left) => left.length === 0 && !pids().some(isInExec) && this.processes().length === 0,
      { what: 'no process is left', say: (left) => left.map(describeProcess).join('\n') },
    )
    const files = await readdir(this.work)
    expect(
      files.filter((name) => ![...this.#expectedFiles].some((pattern) => matches(name, pattern))),
      'files left in the working directory',
    ).toEqual([])
    const temporary = await readdir(join(this.directory, 'tmp'))
    expect(
      temporary.filter((name) => ![...this.#expectedTemporary].some((pattern) => matches(name, pattern))),
      'files left in the temporary directory',
    ).toEqual([])
  }

  /** Ends what is left and removes the directory. A test that passed has checked before that nothing is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.signalAll('SIGKILL')
    await Promise.all(this.#started.map(async (started) => await started.closed))
    await rm(this.directory, { recursive: true, force: true })
  }
}
