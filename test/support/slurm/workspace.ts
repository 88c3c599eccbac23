import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect } from 'vitest'
import { Started } from '../cluster.ts'
import { outputOf } from './command.ts'
import type { Job } from './job.ts'
import { type HostProcess, sayProcesses } from './processes.ts'
import { controllerName, daskLeavings, type SlurmCluster } from './slurm-cluster.ts'
import { until } from './until.ts'

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

  /** A file or directory of the working directory that may be there at the end; `*` stands for anything. */
  expectFile(name: string): void {
    this.#expectedFiles.add(name)
  }

  /** Starts a command on the host from which jobs are submitted. */
  start(command: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
    const login = this.slurm.host(controllerName)
    return new Started(login.spawn(command, this.#with(env), ['ignore', 'pipe', 'pipe']))
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

  /** What a job has printed so far. */
  async outputOf(jobId: string): Promise<string> {
    return await readFile(this.path(`slurm-${jobId}.out`), 'utf8').catch(() => '')
  }

  /** Waits until a job has printed `text`; fails where it ends before. */
  async expectOutput(jobId: string, text: string, patience?: number): Promise<void> {
    await until(
      async () => await this.outputOf(jobId),
      (output) => output.includes(text),
      { what: `job ${jobId} prints "${text}"`, say: (output) => output, interval: 100, ...(patience && { patience }) },
    )
  }

  /** Waits for the end of a job and checks what `scontrol` then says of it. */
  async expectEnd(jobId: string, end: Pick<Job, 'JobState' | 'ExitCode'>, patience?: number): Promise<void> {
    const { JobState, ExitCode } = await this.slurm.wait(jobId, patience)
    expect({ JobState, ExitCode }, await this.outputOf(jobId)).toEqual(end)
  }

  /** All processes of this test, on all hosts. */
  async processes(): Promise<HostProcess[]> {
    const all = await Promise.all(this.#hosts.map(async (host) => await this.slurm.processesOn(host)))
    return all.flat().filter(({ env }) => env.includes(`${mark}=${this.directory}`))
  }

  /** Checks that no process of this test and none of its files are left. */
  async expectNothingLeft(): Promise<void> {
    await until(
      async () => await this.processes(),
      (left) => left.length === 0,
      { what: 'no process is left', say: sayProcesses },
    )
    const expected = (name: string): boolean =>
      [...this.#expectedFiles].some((pattern) => {
        const [start = '', end] = pattern.split('*')
        return end === undefined ? name === pattern : name.startsWith(start) && name.endsWith(end)
      })
    const files = await readdir(this.path('.'))
    expect(
      files.filter((name) => !expected(name)),
      'files left in the working directory',
    ).toEqual([])
    for (const host of this.#hosts) {
      const temporary = await readdir(this.#temporary(host))
      expect(
        temporary.filter((name) => !daskLeavings.has(name)),
        `files left in TMPDIR of ${host}`,
      ).toEqual([])
    }
  }

  /** Ends what is left and removes the directories. A test that passed has checked before that nothing is. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pid } of await this.processes()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended in the meantime.
      }
    }
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
