import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Started } from '../cluster.ts'
import { type CommandResult, outputOf } from '../slurm/command.ts'
import { Hosts } from '../slurm/hosts.ts'
import { addressOf } from '../slurm/network.ts'
import { until } from '../until.ts'
import { writeCell } from './cell.ts'

/** The host of the master, from which jobs are submitted. */
const master = 'login'

/** A real Grid Engine of several hosts on this machine, which share nothing but a directory and a network. */
export class GridEngine implements AsyncDisposable {
  readonly #hosts: Hosts
  #env: Readonly<Record<string, string>> = {}

  private constructor(hosts: Hosts) {
    this.#hosts = hosts
  }

  /**
   * Starts one whose hosts are ready for jobs.
   *
   * @throws Error with Grid Engine's own messages where it does not come up; nothing is left then.
   */
  static async start(hosts = 3): Promise<GridEngine> {
    const names = [master, ...Array.from({ length: hosts }, (_, n) => `node${n}`)]
    const addresses = names.map((name, index) => [name, addressOf(index, 'IPv4')] as const)
    const engine = new GridEngine(await Hosts.make(addresses))
    try {
      for (const each of addresses) await engine.#hosts.add(each)
      await engine.#startEngine()
      return engine
    } catch (error) {
      const messages = await readFile(join(engine.base, 'spool/qmaster/messages'), 'utf8').catch(() => '')
      await engine[Symbol.asyncDispose]()
      throw new Error(`Cannot start Grid Engine in ${engine.base}: ${String(error)}\n${messages}`, { cause: error })
    }
  }

  /** Directory of everything that it owns. */
  get base(): string {
    return this.#hosts.base
  }

  /** Names of the hosts that run jobs. */
  get nodes(): string[] {
    return this.#hosts.names.filter((name) => name !== master)
  }

  /** A path in the working directory, as this machine sees it. */
  path(name: string): string {
    return join(this.base, 'source', name)
  }

  /** Submits a script and waits for its end: the status is that of the job. */
  submit(script: string, args: readonly string[] = []): Started {
    const command = ['qsub', '-sync', 'y', ...args, script]
    const options = { env: this.#env, directory: join(this.base, 'shared') }
    return new Started(this.#hosts.get(master).spawn(command, options, ['ignore', 'pipe', 'pipe']))
  }

  /** Runs a command on the master's host, and gives its standard output. */
  async on(command: readonly string[]): Promise<string> {
    return outputOf(command, await this.#run(master, command))
  }

  /** What the job of a name has printed so far, or its elements one after another. */
  async outputOf(name: string): Promise<string> {
    const files = (await readdir(this.path('.'))).filter((each) => each.startsWith(`${name}.o`))
    return (await Promise.all(files.map(async (file) => await readFile(this.path(file), 'utf8')))).join('')
  }

  /** Waits until the job of a name has printed `text`. */
  async expectOutput(name: string, text: string): Promise<void> {
    await until(
      async () => await this.outputOf(name),
      (all) => all.includes(text),
      { what: `the job ${name} prints "${text}"`, say: (all) => all },
    )
  }

  /** A host dies: all of its processes at once, and without a word to those they were connected to. */
  async killHost(name: string): Promise<void> {
    await this.#hosts.kill(name)
  }

  /** Waits until no host runs anything but its daemons, and checks the files that are left. */
  async expectNothingLeft(files: readonly string[]): Promise<void> {
    // The directory of a job's task is removed some time after the task has ended.
    for (const name of this.#hosts.names)
      await until(
        async () => (await readdir(this.#hosts.get(name).path('/tmp'))).filter((file) => file.endsWith('.all.q')),
        (tasks) => tasks.length === 0,
        { what: `Grid Engine has removed what its tasks had on ${name}`, say: (tasks) => tasks.join(', ') },
      )
    await this.#hosts.expectNothingLeft()
    const left = (await readdir(this.path('.'))).filter(
      (file) => !files.includes(file.replace(/\.o\d+(\.\d+)?$/, '.o')),
    )
    if (left.length > 0) throw new Error(`Files are left in the working directory: ${left.join(', ')}`)
  }

  /** Ends all hosts with everything on them, and removes the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts[Symbol.asyncDispose]()
  }

  async #startEngine(): Promise<void> {
    const { env, before, after } = await writeCell(this.base, { master, hosts: this.nodes })
    this.#env = { ...env, ...this.#hosts.env }
    await this.on(['bash', '-c', before])
    this.#daemon(master, 'sge_qmaster')
    await until(
      async () => await this.#run(master, ['qconf', '-sh']),
      ({ status }) => status === 0,
      { what: 'the master answers', say: ({ stderr }) => stderr, interval: 100 },
    )
    await this.on(['bash', '-c', after])
    for (const node of this.nodes) this.#daemon(node, 'sge_execd')
    await until(
      async () => await this.on(['qstat', '-f']),
      // One that is not there yet has the state "au", and no load.
      (queues) =>
        queues.split('\n').filter((line) => /^all\.q@.*\d \s*lx-amd64\s*$/.test(line)).length === this.nodes.length,
      { what: 'all hosts take jobs', say: (queues) => queues, interval: 200 },
    )
  }

  #daemon(host: string, name: string): void {
    // Without SGE_ND it would leave the namespaces' first process as its parent.
    this.#hosts.daemon(host, [name], { ...this.#env, SGE_ND: '1' })
  }

  async #run(host: string, command: readonly string[]): Promise<CommandResult> {
    return await this.#hosts.get(host).run(command, { env: this.#env, directory: join(this.base, 'shared') })
  }
}
