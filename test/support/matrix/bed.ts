import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Step } from '../faults/step.ts'
import { commandLine, describeProcess, environment, kill, pids } from '../processes.ts'
import { daskLeavings } from '../slurm/hosts.ts'
import { until } from '../until.ts'
import type { LauncherName } from './cell.ts'
import type { Place } from './place.ts'

/** How many processes a run has. */
const ranks = 4

/** What stands before a command that is to be a run's processes. */
const prefixes: Readonly<Record<Exclude<LauncherName, 'local'>, readonly string[]>> = {
  slurm: ['srun', `--nodes=${ranks}`, `--ntasks=${ranks}`],
  openmpi: ['mpirun.openmpi', '--oversubscribe', '--bind-to', 'none', '-n', String(ranks)],
  mpich: ['mpiexec.hydra', '-n', String(ranks)],
}

/** Where a cell's steps run, and the check that nothing is left of them. */
export class Bed {
  readonly place: Place
  readonly #launcher: LauncherName

  constructor(place: Place, launcher: LauncherName) {
    this.place = place
    this.#launcher = launcher
  }

  /** A path of the working directory, as this process sees it. */
  path(name: string): string {
    return this.place.path(join('work', name))
  }

  /** Puts a file into the working directory. */
  async write(name: string, text: string): Promise<void> {
    await writeFile(this.path(name), text)
  }

  /** Starts a run of four processes, with these arguments. */
  run(...args: readonly string[]): Step {
    const launcher = this.#launcher
    if (launcher === 'local') return this.start(...this.place.program, 'local', '-n', String(ranks), ...args)
    return this.start(...prefixes[launcher], ...this.place.program, 'run', ...args)
  }

  /** Starts a program of the library: one process here, which starts the others, or each process of the run. */
  library(file: string): Step {
    const launcher = this.#launcher
    const program = [process.execPath, file]
    return launcher === 'local' ? this.start(...program) : this.start(...prefixes[launcher], ...program)
  }

  /** Starts another command of `dask-hpc-runner`, beside the run. */
  command(...args: readonly string[]): Step {
    return this.start(...this.place.program, ...args)
  }

  /** Starts anything. */
  start(...command: readonly string[]): Step {
    return new Step(this.place.start(command))
  }

  /** The status and the output of something that ends soon. */
  async outputOf(...command: readonly string[]): Promise<string> {
    const step = this.start(...command)
    const status = await step.ended
    if (status !== 0) throw new Error(`"${command.join(' ')}" ended with ${status}: ${step.output}`)
    return step.output.trim()
  }

  /** Waits for a process of the run that `pattern` matches the command line of; gives the first. */
  async find(pattern: RegExp): Promise<number> {
    const matching = (): number[] => this.processes().filter((pid) => pattern.test(commandLine(pid).join(' ')))
    const [first = -1] = await until(matching, (found) => found.length > 0, {
      what: `there is a process ${String(pattern)}`,
      say: () => this.#describe(this.processes()),
    })
    return first
  }

  /** All processes of this cell's runs, on all hosts. */
  processes(): number[] {
    const isOurs = (entry: string): boolean => entry.startsWith('PATH=') && entry.includes(this.place.mark)
    return pids().filter((pid) => environment(pid).some(isOurs))
  }

  /** Waits until no process is left, and checks the files. `allowed` may be there, and are removed. */
  async expectNothingLeft(allowed: readonly string[]): Promise<void> {
    await until(
      () => this.processes(),
      (left) => left.length === 0,
      { what: 'no process is left', say: (left) => this.#describe(left), patience: 20_000 },
    )
    for (const name of allowed) await rm(this.path(name), { recursive: true, force: true })
    const left = await this.#files()
    if (left.length > 0) throw new Error(`Files are left: ${left.join(', ')}`)
  }

  /** Ends and removes whatever a step has left. */
  async clear(): Promise<void> {
    await until(
      async () => {
        await this.place.clear()
        const left = this.processes()
        for (const pid of left) kill(pid, 'SIGKILL')
        return left
      },
      (left) => left.length === 0,
      { what: 'all is cleared', say: (left) => this.#describe(left), interval: 500 },
    )
    for (const folder of [this.place.path('work'), ...this.place.temporary])
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true })
  }

  async #files(): Promise<string[]> {
    const inTemporary = await Promise.all(this.place.temporary.map(async (folder) => await readdir(folder)))
    const temporary = inTemporary.flat().filter((name) => !daskLeavings.has(name))
    return [...(await readdir(this.place.path('work'))), ...temporary.map((name) => `TMPDIR/${name}`)]
  }

  #describe(processes: readonly number[]): string {
    return processes.map(describeProcess).join('\n')
  }
}
