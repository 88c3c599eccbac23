import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SlurmCluster } from '../slurm/slurm-cluster.ts'
import { controllerName } from '../slurm/slurm-cluster.ts'
import { kill } from '../processes.ts'
import { until } from '../until.ts'
import type { Actor } from './cell.ts'
import { type ProcessTable, runMark, type RunProcess } from './process-table.ts'
import { Step } from './step.ts'

/** How each actor's command line is known. */
const commands: Readonly<Record<Actor, RegExp>> = {
  scheduler: /dask-hpc-runner scheduler/,
  client: /^\S*python\S* client\.py/,
  worker: /dask-hpc-runner worker/,
  supervisor: /^\S*node .*(dask-hpc-runner run|spin\.mjs)/,
  reaper: /dask-run-reaper/,
}

/** Where and how a run runs. */
export interface RunPlace {
  readonly slurm: SlurmCluster
  /** One for each rank, in their order. */
  readonly hosts: readonly string[]
  readonly table: ProcessTable
  /** Whether it runs with `--secure`. */
  readonly secure: boolean
}

/** Where certificates are kept: all hosts of this machine share it, those of other clusters too, whose jobs have the same ids. */
const memory = '/dev/shm'

/** One run under Slurm that something happens to: its directory, its step, its processes, its files. */
export class FaultRun implements AsyncDisposable {
  readonly slurm: SlurmCluster
  readonly hosts: readonly string[]
  /** Name of its directory, which is in the environment of each of its processes. */
  readonly mark = `${runMark}${randomBytes(5).toString('hex')}`
  readonly #table: ProcessTable
  readonly #secure: boolean
  readonly #steps: Step[] = []

  private constructor({ slurm, hosts, table, secure }: RunPlace) {
    this.slurm = slurm
    this.hosts = hosts
    this.#table = table
    this.#secure = secure
  }

  static async make(place: RunPlace): Promise<FaultRun> {
    const run = new FaultRun(place)
    await mkdir(run.path('bin'), { recursive: true })
    for (const host of run.#allHosts) await mkdir(run.temporary(host))
    return run
  }

  /** Working directory of the run, as its hosts see it. */
  get directory(): string {
    return join(this.slurm.shared, this.mark)
  }

  /** A path in the working directory, as this machine sees it. */
  path(name: string): string {
    return join(this.slurm.base, 'source', this.mark, name)
  }

  /** The run's TMPDIR on a host, as this machine sees it. */
  temporary(host: string): string {
    return this.slurm.host(host).path(join('/tmp', this.mark))
  }

  /** Lets something go on that waits for a file. */
  async release(...names: string[]): Promise<void> {
    for (const name of names) await writeFile(this.path(name), '')
  }

  hostOf(rank: number): string {
    const host = this.hosts[rank]
    if (host === undefined) throw new TypeError(`Cannot find the host of rank ${rank}: there are ${this.hosts.length}`)
    return host
  }

  /** Starts a step of `tasks` processes, one on each host, each of which runs `command`. */
  start(tasks: number, command: readonly string[]): Step {
    const hosts = this.hosts.slice(0, tasks).join(',')
    const options = [`--nodes=${tasks}`, `--ntasks=${tasks}`, `--nodelist=${hosts}`, '--kill-on-bad-exit=0', '--label']
    const child = this.slurm
      .host(controllerName)
      .spawn(['srun', ...options, ...command], { env: this.environment, directory: this.directory }, [
        'ignore',
        'pipe',
        'pipe',
      ])
    const step = new Step(child)
    this.#steps.push(step)
    return step
  }

  /** The environment of everything of this run. */
  get environment(): Readonly<Record<string, string>> {
    const { env } = this.slurm
    // Reapers keep nothing but PATH.
    const own = { PATH: `${this.directory}/bin:${env.PATH ?? ''}`, TMPDIR: join('/tmp', this.mark) }
    return { ...env, ...own, ...(this.#secure && { DASK_HPC_RUNNER_SECURE: 'yes' }) }
  }

  /** The processes of this run on hosts that run jobs. */
  processes(): RunProcess[] {
    return this.#table.of(this.mark).filter(({ host }) => host !== controllerName)
  }

  /** Waits until an actor is there; gives its processes, of which a worker may have several. */
  async find(actor: Actor, rank: number): Promise<RunProcess[]> {
    const host = this.hostOf(rank)
    return await until(
      () => this.processes().filter((each) => each.host === host && commands[actor].test(each.command)),
      (found) => found.length > 0,
      { what: `there is a ${actor} on ${host}`, say: () => formatProcesses(this.processes()) },
    )
  }

  /** Names of the files that are in the working directory. */
  files(): string[] {
    return readdirSync(this.path('.'))
  }

  /** Names of the directories of certificates that are left of it, each with its host. */
  async secrets(): Promise<(readonly [host: string, name: string])[]> {
    const job = await readFile(this.path('job'), 'utf8').catch(() => '')
    if (job === '') return []
    const own = new RegExp(`^dask-hpc-runner-${this.slurm.name}-${job.trim()}\\.[^-]*-r\\d+-(\\d+)-tls-`)
    return (await readdir(memory)).flatMap((name) => {
      const rank = own.exec(name)?.[1]
      return rank === undefined ? [] : [[this.hostOf(Number(rank)), name] as const]
    })
  }

  has(name: string): boolean {
    return existsSync(this.path(name))
  }

  /** Slurm's id of the run's job, while there is one. */
  async jobId(): Promise<string | undefined> {
    const queue = await this.slurm.on(controllerName, ['squeue', '--noheader', '--format=%A %Z'])
    return queue
      .split('\n')
      .find((line) => line.endsWith(this.mark))
      ?.split(' ')[0]
  }

  /** Ends what is left, whatever it is, and removes the directories. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endBystanders()
    await until(
      async () => {
        const job = await this.jobId()
        if (job !== undefined) await this.slurm.run(controllerName, ['scancel', '--signal=KILL', '--full', job])
        if (job !== undefined) await this.slurm.run(controllerName, ['scancel', job])
        for (const { pid } of this.#table.of(this.mark)) kill(pid, 'SIGKILL')
        return { job, left: this.#table.of(this.mark) }
      },
      ({ job, left }) => job === undefined && left.length === 0,
      {
        what: `nothing is left of ${this.mark}`,
        say: ({ job, left }) => `job ${job ?? 'none'}\n${formatProcesses(left)}`,
        interval: 500,
      },
    )
    await Promise.all(this.#steps.map(async ({ ended }) => await ended))
    for (const [, name] of await this.secrets()) await rm(join(memory, name), { recursive: true, force: true })
    for (const host of this.#allHosts) await rm(this.temporary(host), { recursive: true, force: true })
    await rm(this.path('.'), { recursive: true, force: true })
  }

  /** What was started beside the run has its random part in its environment, and not the mark. */
  async #endBystanders(): Promise<void> {
    const variable = `BYSTANDER=${this.mark.replace(runMark, '')}`
    for (const host of this.hosts)
      for (const { pid, env } of await this.slurm.processesOn(host)) if (env.includes(variable)) kill(pid, 'SIGKILL')
  }

  get #allHosts(): string[] {
    return [controllerName, ...this.hosts]
  }
}

/** One line for each process, for messages. */
export function formatProcesses(processes: readonly RunProcess[]): string {
  return processes
    .map(({ pid, host, command, stopped }) => {
      const [, child = command] = /(dask-run-reaper|dask-hpc-runner .*)/.exec(command) ?? []
      return `${pid} on ${host}${stopped ? ' (stopped)' : ''}: ${child.slice(0, 80)}`
    })
    .join('\n')
}
