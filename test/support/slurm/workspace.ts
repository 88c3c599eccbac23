import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect } from 'vitest'
import { Started } from '../cluster.ts'
import { matches } from '../matches.ts'
import { kill } from '../processes.ts'
import { outputOf } from './command.ts'
import { daskLeavings } from './hosts.ts'
import type { Job } from './job.ts'
import { type HostProcess, formatProcesses } from './processes.ts'
import { controllerName, type SlurmCluster } from './slurm-cluster.ts'
import { patient, until } from '../until.ts'

/** The variable by which the processes of one test are known. */
const mark = 'TEST_WORKSPACE'

/**
 * Where the jobs of one test live, so that several tests can use one cluster at once: a directory of the
 * shared filesystem, a TMPDIR on each host, and the check that nothing is left in either.
 */
export class Workspace implements AsyncDisposable {
  readonly slurm: SlurmCluster
  /** Working directory of everything that the test starts. */
  readonly directory: string
  readonly #expectedFiles = new Set<string>()

  private constructor(slurm: SlurmCluster, directory: string) {
    this.slurm = slurm
    this.directory = directory
  }

  static async make(slurm: SlurmCluster): Promise<Workspace> {
    const source = await mkdtemp(join(slurm.base, 'source/work-'))
    const workspace = new Workspace(slurm, join(slurm.shared, basename(source)))
    for (const host of workspace.#hosts) await mkdir(workspace.#temporary(host))
    return workspace
  }

  /** A path in the working directory, as this machine sees it. */
  path(name: string): string {
    return join(this.slurm.base, 'source', basename(this.directory), name)
  }

  /** What may be in the working directory, or in a TMPDIR, at the end; `*` stands for anything. */
  expectFile(name: string): void {
    this.#expectedFiles.add(name)
  }

  /** Writes a file of the working directory, which may be there at the end. */
  async write(name: string, text: string): Promise<void> {
    await writeFile(this.path(name), text)
    this.expectFile(name)
  }

  /** The text of a file of the working directory, empty where there is none. */
  async textOf(name: string): Promise<string> {
    return await readFile(this.path(name), 'utf8').catch(() => '')
  }

  /** Starts a command on a host: that from which jobs are submitted, unless `host` names another. */
  start(command: readonly string[], env: Readonly<Record<string, string>> = {}, host = controllerName): Started {
    return new Started(this.slurm.host(host).spawn(command, this.#with(env), ['ignore', 'pipe', 'pipe']), {
      patience: 270_000,
    })
  }

  /** Starts a step, in a job of its own. */
  srun(args: readonly string[], command: readonly string[]): Started {
    return this.start(['srun', ...args, ...command])
  }

  /** Submits a script; gives the job's id. What it prints is in `slurm-ID.out`. */
  async sbatch(script: string, args: readonly string[] = []): Promise<string> {
    const command = ['sbatch', '--parsable', ...args]
    const isText = script.startsWith('#!')
    const result = await this.slurm.host(controllerName).run(isText ? command : [...command, script], {
      ...this.#with({}),
      input: isText ? script : '',
    })
    this.expectFile('slurm-*.out')
    return outputOf(command, result).trim()
  }

  /** Ids of the jobs whose working directory this is and which are not over. */
  async jobIds(): Promise<string[]> {
    const queue = await this.slurm.on(controllerName, ['squeue', '--noheader', '--format=%A %Z'])
    const lines = queue.split('\n').filter((line) => line.endsWith(` ${this.directory}`))
    return lines.map((line) => line.slice(0, line.indexOf(' ')))
  }

  /** What a job has printed so far. */
  async outputOf(jobId: string): Promise<string> {
    return await this.textOf(`slurm-${jobId}.out`)
  }

  /** Waits until a job has printed `text`. */
  async expectOutput(jobId: string, text: string, patience?: number): Promise<void> {
    await this.expectText(`slurm-${jobId}.out`, text, patience)
  }

  /** Waits until `text` is in a file of the working directory, for at most `patience` milliseconds. */
  async expectText(name: string, text: string, patience = patient): Promise<void> {
    await until(
      async () => await this.textOf(name),
      (all) => all.includes(text),
      { what: `"${text}" is in ${name}`, say: (all) => all, interval: 100, patience },
    )
  }

  /** Waits for the end of a job and checks what `scontrol` then says of each of its parts. */
  async expectEnd(jobId: string, end: Pick<Job, 'JobState' | 'ExitCode'>, patience?: number): Promise<void> {
    const jobs = await this.slurm.wait(jobId, patience)
    const ends = jobs.map(({ JobState, ExitCode }) => ({ JobState, ExitCode }))
    expect(ends, await this.outputOf(jobId)).toEqual(ends.map(() => end))
  }

  /**
   * All processes of this test, on all hosts. A reaper has no environment to tell whose it is: it is of its
   * supervisor's test, and of this one where it has outlived that.
   */
  async processes(): Promise<HostProcess[]> {
    const own = `${mark}=${this.directory}`
    const all = (await Promise.all(this.#hosts.map(async (host) => await this.slurm.processesOn(host)))).flat()
    const byId = new Map(all.map((each) => [each.pid, each]))
    const markOf = (each: HostProcess | undefined): string | undefined =>
      each && (each.env.find((entry) => entry.startsWith(`${mark}=`)) ?? markOf(byId.get(each.parent)))
    return all.filter(
      (each) => each.env.includes(own) || (each.command.includes('dask-run-reaper') && (markOf(each) ?? own) === own),
    )
  }

  /** Checks that no process of this test and none of its files are left. */
  async expectNothingLeft(): Promise<void> {
    await until(
      async () => await this.processes(),
      (left) => left.length === 0,
      { what: 'no process is left', say: formatProcesses },
    )
    const expected = (name: string): boolean => [...this.#expectedFiles].some((pattern) => matches(name, pattern))
    const files = await readdir(this.path('.'))
    expect(
      files.filter((name) => !expected(name)),
      'files left in the working directory',
    ).toEqual([])
    for (const host of this.#hosts) {
      const temporary = await readdir(this.#temporary(host))
      expect(
        temporary.filter((name) => !daskLeavings.has(name) && !expected(name)),
        `files left in TMPDIR of ${host}`,
      ).toEqual([])
    }
  }

  /** Ends what is left and removes the directories. A test that passed has checked before that nothing is. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const job of await this.jobIds()) await this.slurm.run(controllerName, ['scancel', '--signal=KILL', job])
    for (const { pid } of await this.processes()) kill(pid, 'SIGKILL')
    for (const host of this.#hosts) await rm(this.#temporary(host), { recursive: true, force: true })
    await rm(this.path('.'), { recursive: true, force: true })
  }

  get #hosts(): string[] {
    return [controllerName, ...this.slurm.nodes]
  }

  #temporary(host: string): string {
    return this.slurm.host(host).path(join('/tmp', basename(this.directory)))
  }

  #with(env: Readonly<Record<string, string>>): { directory: string; env: NodeJS.ProcessEnv } {
    const own = { TMPDIR: join('/tmp', basename(this.directory)), [mark]: this.directory }
    return { directory: this.directory, env: { ...this.slurm.env, ...own, ...env } }
  }
}
