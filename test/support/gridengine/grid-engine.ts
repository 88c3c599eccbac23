import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Started } from '../cluster.ts'
import { type CommandResult, outputOf } from '../slurm/command.ts'
import { makeDirectory, visibleFolders } from '../slurm/directory.ts'
import { Host } from '../slurm/host.ts'
import { addressOf, Network } from '../slurm/network.ts'
import { formatProcesses } from '../slurm/processes.ts'
import { daskLeavings } from '../slurm/slurm-cluster.ts'
import { until } from '../until.ts'
import { writeCell } from './cell.ts'

/** The host of the master, from which jobs are submitted. */
const master = 'login'

/** A real Grid Engine of several hosts on this machine, which share nothing but a directory and a network. */
export class GridEngine implements AsyncDisposable {
  /** Directory of everything that it owns. */
  readonly base: string
  readonly #hosts = new Map<string, Host>()
  #network: Network | undefined
  #env: Readonly<Record<string, string>> = {}

  private constructor(base: string) {
    this.base = base
  }

  /**
   * Starts one whose hosts are ready for jobs.
   *
   * @throws Error with Grid Engine's own messages where it does not come up; nothing is left then.
   */
  static async start(hosts = 3): Promise<GridEngine> {
    const names = [master, ...Array.from({ length: hosts }, (_, n) => `node${n}`)]
    const addresses = names.map((name, index) => [name, addressOf(index, 'IPv4')] as const)
    const engine = new GridEngine(await makeDirectory(addresses))
    try {
      await engine.#startHosts(addresses)
      await engine.#startEngine()
      return engine
    } catch (error) {
      const messages = await readFile(join(engine.base, 'spool/qmaster/messages'), 'utf8').catch(() => '')
      await engine[Symbol.asyncDispose]()
      throw new Error(`Cannot start Grid Engine in ${engine.base}: ${String(error)}\n${messages}`, { cause: error })
    }
  }

  /** Names of the hosts that run jobs. */
  get nodes(): string[] {
    return [...this.#hosts.keys()].filter((name) => name !== master)
  }

  /** A path in the working directory, as this machine sees it. */
  path(name: string): string {
    return join(this.base, 'source', name)
  }

  /** Submits a script and waits for its end: the status is that of the job. */
  submit(script: string, args: readonly string[] = []): Started {
    const command = ['qsub', '-sync', 'y', ...args, script]
    const options = { env: this.#env, directory: join(this.base, 'shared') }
    return new Started(this.#host(master).spawn(command, options, ['ignore', 'pipe', 'pipe']))
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
    await this.#network?.setLink(this.#host(name), 'down')
    await this.#host(name).kill()
    this.#hosts.delete(name)
    await this.#network?.unplug(name)
  }

  /** Waits until no host runs anything but its daemons, and checks the files that are left. */
  async expectNothingLeft(files: readonly string[]): Promise<void> {
    for (const [name, host] of this.#hosts) {
      await until(
        async () => await host.processes(),
        (left) => left.length === 0,
        { what: `no process is left on ${name}`, say: formatProcesses },
      )
      const known = [...daskLeavings, ...visibleFolders().map((folder) => folder.split('/')[2])]
      const left = (await readdir(host.path('/tmp'))).filter((file) => !known.includes(file))
      if (left.length > 0) throw new Error(`Files are left in /tmp of ${name}: ${left.join(', ')}`)
    }
    const left = (await readdir(this.path('.'))).filter(
      (file) => !files.includes(file.replace(/\.o\d+(\.\d+)?$/, '.o')),
    )
    if (left.length > 0) throw new Error(`Files are left in the working directory: ${left.join(', ')}`)
  }

  /** Ends all hosts with everything on them, and removes the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#hosts.values()].map(async (host) => await host.kill()))
    this.#hosts.clear()
    await rm(this.base, { recursive: true, force: true })
  }

  async #startHosts(addresses: readonly (readonly [string, string])[]): Promise<void> {
    const names = addresses.map(([name, address]) => `${address} ${name}\n`).join('')
    await writeFile(join(this.base, 'etc/resolv.conf'), '')
    for (const [name, address] of addresses) {
      await writeFile(join(this.base, 'hosts', name, 'hosts'), `127.0.0.1 localhost\n${names}`)
      const host = await Host.start({ name, address, base: this.base, cacheSeconds: 0, visible: visibleFolders() })
      this.#hosts.set(name, host)
      if (this.#network === undefined) this.#network = await Network.start(host)
      else await this.#network.plug(host, { defaultRoute: true })
    }
  }

  async #startEngine(): Promise<void> {
    const { env, before, after } = await writeCell(this.base, { master, hosts: this.nodes })
    const PATH = `${this.base}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`
    this.#env = { ...env, PATH, HOME: `${this.base}/home`, USER: 'root', LANG: 'C.UTF-8' }
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
    this.#host(host).spawn([name], { env: { ...this.#env, SGE_ND: '1' }, directory: '/' }, 'ignore')
  }

  async #run(host: string, command: readonly string[]): Promise<CommandResult> {
    return await this.#host(host).run(command, { env: this.#env, directory: join(this.base, 'shared') })
  }

  #host(name: string): Host {
    const host = this.#hosts.get(name)
    if (host === undefined) throw new TypeError(`Cannot find the host "${name}": there are ${this.nodes.join(', ')}`)
    return host
  }
}
