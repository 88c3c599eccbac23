import { randomBytes } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CommandResult, outputOf, runCommand } from './command.ts'
import { makeDirectory, visibleFolders } from './directory.ts'
import { cgroupConf, removeCgroups } from './cgroups.ts'
import { Host } from './host.ts'
import { isOver, type Job, parseJobs } from './job.ts'
import { addressOf, type Family, Network } from './network.ts'
import { type HostProcess, formatProcesses } from './processes.ts'
import { slurmConf } from './slurm-conf.ts'
import { until } from '../until.ts'

/** What a cluster is to be like. */
export interface SlurmOptions {
  /** How many hosts run jobs. They are called `node0` and so on, after a prefix with `cgroup`. @default 4 */
  readonly hosts?: number
  /** How many CPUs each host claims to have. @default 32 */
  readonly cpus?: number
  /** How much memory each host claims to have. In megabytes. @default 1000 for each CPU */
  readonly memory?: number
  /** How many GPUs each host claims to have. There are no devices behind them, and none is kept from a task. @default 0 */
  readonly gpus?: number
  /**
   * For how many seconds each host's mount of the shared directory may believe what it has seen, missing
   * names included, as NFS does. 0 is a plain mount, on which every host sees everything at once. @default 0
   */
  readonly cacheSeconds?: number
  /** Whether the hosts have a default route, which leads nowhere. @default true */
  readonly defaultRoute?: boolean
  /** Whether the hosts' names can be looked up. @default true */
  readonly namesResolve?: boolean
  /** Whether the hosts have addresses of version 6 alone. @default 'IPv4' */
  readonly family?: Family
  /**
   * Whether each host has, before its network, a link-local address and the bridge of a container runtime, and
   * stands in its own `/etc/hosts` as 127.0.1.1, as Debian's installer has it. @default false
   */
  readonly decoys?: boolean
  /** Whether each host has a second interface, `eth1`, whose address no other host reaches. @default false */
  readonly deadEnd?: boolean
  /**
   * How Slurm knows the processes of a step, and so which ones it signals: `linuxproc` all of them, `pgid`
   * only those that have stayed in the first task's process group, `cgroup` only the tasks themselves, as
   * most clusters do (where {@link hasFreezer} says so). @default 'linuxproc'
   */
  readonly processTracking?: 'linuxproc' | 'pgid' | 'cgroup'
  /**
   * Whether Slurm has the kernel keep each step to its memory on a node (`ConstrainRAMSpace`), where {@link hasFreezer}
   * says that it can. @default false
   */
  readonly constrainMemory?: boolean
  /** Mounts another filesystem on the shared directory of each host, when they and their network are there. */
  readonly mountShared?: (cluster: SlurmCluster) => Promise<void>
  /** Settings of slurm.conf that replace the cluster's or join them, such as `KillWait`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** How a command is run on a host. */
export interface CommandOptions {
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** @default the shared directory */
  readonly directory?: string
  readonly input?: string
}

/** The host of slurmctld and munged, from which jobs are submitted. */
export const controllerName = 'login'

/** What Dask leaves in a temporary directory. */
export const daskLeavings: ReadonlySet<string> = new Set(['dask-worker-space', 'dask-scratch-space'])

/**
 * A real Slurm of several hosts on this machine, which share nothing but a directory and a network.
 * Any number of them run side by side.
 */
export class SlurmCluster implements AsyncDisposable {
  /** Directory of everything that the cluster owns. */
  readonly base: string
  /** Its `ClusterName`, which no other cluster of this machine has. */
  readonly name = `test${randomBytes(3).toString('hex')}`
  readonly #options: SlurmOptions
  readonly #hosts = new Map<string, Host>()
  readonly #addresses: ReadonlyMap<string, string>
  /** Nodes that may have cgroups. */
  readonly #withCgroups = new Set<string>()
  #network: Network | undefined
  /** The daemon that has ended first. */
  #lost: string | undefined

  private constructor(
    base: string,
    addresses: readonly (readonly [name: string, address: string])[],
    options: SlurmOptions,
  ) {
    this.base = base
    this.#addresses = new Map(addresses)
    this.#options = options
  }

  /**
   * Starts a cluster whose hosts are ready for jobs.
   *
   * @throws Error with Slurm's own messages where it does not come up; nothing is left then.
   */
  static async start(options: SlurmOptions = {}): Promise<SlurmCluster> {
    // All clusters of the machine share its cgroups, which have the names of the nodes.
    const prefix = usesCgroups(options) ? `c${randomBytes(3).toString('hex')}node` : 'node'
    const names = Array.from({ length: options.hosts ?? 4 }, (_, n) => `${prefix}${n}`)
    const addresses = [controllerName, ...names].map(
      (name, index) => [name, addressOf(index, options.family ?? 'IPv4')] as const,
    )
    const cluster = new SlurmCluster(await makeDirectory(addresses), addresses, options)
    try {
      await cluster.#writeConfiguration(addresses)
      for (const [name, address] of addresses) await cluster.#startHost(name, address)
      await options.mountShared?.(cluster)
      await cluster.#startSlurm()
      return cluster
    } catch (error) {
      const logs = await cluster.#logs()
      await cluster[Symbol.asyncDispose]()
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`Cannot start Slurm in ${cluster.base}: ${why}\n${logs}`, { cause: error })
    }
  }

  /** The directory that all hosts share. */
  get shared(): string {
    return join(this.base, 'shared')
  }

  /** Names of the hosts that run jobs. */
  get nodes(): string[] {
    return [...this.#hosts.keys()].filter((name) => name !== controllerName)
  }

  /** Names of all hosts, that from which jobs are submitted included. */
  get hostNames(): string[] {
    return [...this.#hosts.keys()]
  }

  /** The environment of everything that runs on a host. */
  get env(): Readonly<Record<string, string>> {
    return {
      PATH: `${this.base}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: `${this.base}/home`,
      USER: 'root',
      LANG: 'C.UTF-8',
      SLURM_CONF: `${this.base}/etc/slurm.conf`,
    }
  }

  /** A host by its name. */
  host(name: string): Host {
    const host = this.#hosts.get(name)
    if (host === undefined) throw new TypeError(`Cannot find the host "${name}": there are ${this.nodes.join(', ')}`)
    return host
  }

  /** Runs a command on a host to its end, whatever its status. */
  async run(host: string, command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const { env, directory = this.shared, ...rest } = options
    return await this.host(host).run(command, { env: { ...this.env, ...env }, directory, ...rest })
  }

  /**
   * Runs a command on a host and gives its standard output.
   *
   * @throws Error where it ends with another status than 0.
   */
  async on(host: string, command: readonly string[], options: CommandOptions = {}): Promise<string> {
    return outputOf(command, await this.run(host, command, options))
  }

  /** What `scontrol` says of a job: several where it is an array or heterogeneous. */
  async jobs(jobId: string): Promise<Job[]> {
    return parseJobs(await this.on(controllerName, ['scontrol', '--oneliner', 'show', 'job', jobId]))
  }

  /** Waits until all of a job is over; gives what `scontrol` says of it. */
  async wait(jobId: string, patience = 60_000): Promise<Job[]> {
    return await until(
      async () => await this.jobs(jobId),
      (all) => all.every(isOver),
      { what: `job ${jobId} is over`, say: async (all) => await this.#formatJobs(all), patience, interval: 500 },
    )
  }

  /** Waits until a job is in a state, such as `RUNNING`. */
  async waitFor(jobId: string, state: string, patience = 60_000): Promise<void> {
    await until(
      async () => await this.jobs(jobId),
      (all) => all.every(({ JobState }) => JobState === state),
      { what: `job ${jobId} is ${state}`, say: async (all) => await this.#formatJobs(all), patience, interval: 200 },
    )
  }

  async #formatJobs(jobs: readonly Job[]): Promise<string> {
    const outputs = jobs.map(async ({ JobId, JobState, Reason, StdOut = '' }) => {
      const output = await readFile(this.host(controllerName).path(StdOut), 'utf8').catch(() => '')
      return `${JobId ?? ''}: ${JobState ?? ''} ${Reason ?? ''}\n${output}`
    })
    return (await Promise.all(outputs)).join('\n')
  }

  /** The processes on a host, its daemons left out. */
  async processesOn(host: string): Promise<HostProcess[]> {
    return await this.host(host).processes()
  }

  /** Waits until a process on a host has `text` in its command line. */
  async expectProcess(host: string, text: string): Promise<HostProcess> {
    const seen = await until(
      async () => await this.processesOn(host),
      (all) => all.some(({ command }) => command.includes(text)),
      { what: `a process of ${host} has "${text}"`, say: formatProcesses },
    )
    return seen.find(({ command }) => command.includes(text)) as HostProcess
  }

  /** Signals each process on a host that has `text` in its command line. */
  async killProcess(host: string, text: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    for (const { pid, command } of await this.processesOn(host)) if (command.includes(text)) process.kill(pid, signal)
  }

  /** A host dies: all of its processes at once, and without a word to those they were connected to. */
  async killHost(name: string): Promise<void> {
    await this.cutLink(name)
    await this.host(name).kill()
    this.#hosts.delete(name)
    await this.#network?.unplug(name)
  }

  /** A host that was killed is there again, with nothing on it, and ready for jobs. */
  async reviveHost(name: string): Promise<void> {
    await this.#startHost(name, this.#addresses.get(name) ?? '')
    this.#daemon(name, ['slurmd', '-D', '-N', name])
    await this.waitForNode(name)
  }

  /** Waits until a node takes jobs. */
  async waitForNode(name: string): Promise<void> {
    const state = ['sinfo', '--noheader', '--nodes', name, '--format', '%T']
    await until(
      async () => (await this.on(controllerName, state)).trim(),
      (seen) => /^(idle|mixed|allocated)$/.test(seen),
      { what: `${name} takes jobs`, say: (seen) => seen, patience: 120_000, interval: 500 },
    )
  }

  /** A host stands still, its kernel excepted: connections stay, and nobody answers. */
  async freezeHost(name: string): Promise<void> {
    await this.host(name).signalAll('SIGSTOP')
  }

  /** It goes on. */
  async thawHost(name: string): Promise<void> {
    await this.host(name).signalAll('SIGCONT')
  }

  /** Pulls a host's network cable. */
  async cutLink(host: string): Promise<void> {
    await this.#network?.setLink(this.host(host), 'down')
  }

  /** Puts it back. */
  async mendLink(host: string): Promise<void> {
    await this.#network?.setLink(this.host(host), 'up')
  }

  /** Waits until no host runs anything but its daemons, and checks that nothing is left in the hosts' /tmp. */
  async expectNothingLeft(): Promise<void> {
    for (const [name, host] of this.#hosts) {
      await until(
        async () => await host.processes(),
        (left) => left.length === 0,
        { what: `no process is left on ${name}`, say: formatProcesses },
      )
      const visible = visibleFolders().map((folder) => folder.split('/')[2])
      const files = (await readdir(host.path('/tmp'))).filter((file) => !daskLeavings.has(file))
      const left = files.filter((file) => !visible.includes(file))
      if (left.length > 0) throw new Error(`Files are left in /tmp of ${name}: ${left.join(', ')}`)
    }
  }

  /** Ends all hosts with everything on them, and removes the cluster's directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#hosts.values()].map(async (host) => await host.kill()))
    this.#hosts.clear()
    for (const node of this.#withCgroups) await removeCgroups(node)
    await rm(this.base, { recursive: true, force: true })
  }

  async #writeConfiguration(hosts: readonly (readonly [string, string])[]): Promise<void> {
    const [controller = ['', ''], ...nodes] = hosts
    const {
      namesResolve = true,
      decoys = false,
      family = 'IPv4',
      cpus = 32,
      gpus = 0,
      memory = cpus * 1000,
      processTracking = 'linuxproc',
      constrainMemory = false,
      settings,
    } = this.#options
    const names = !namesResolve ? [] : hosts.map(([name, address]) => `${address} ${name}\n`)
    const etc = join(this.base, 'etc')
    const localhost = ['127.0.0.1 localhost\n', ...(family === 'IPv6' ? ['::1 localhost\n'] : [])]
    for (const [name] of hosts) {
      const own = decoys ? [`127.0.1.1 ${name}\n`] : []
      const others = names.filter((line) => !decoys || !line.endsWith(` ${name}\n`))
      await writeFile(join(this.base, 'hosts', name, 'hosts'), [...localhost, ...own, ...others].join(''))
    }
    await writeFile(join(etc, 'resolv.conf'), '')
    await writeFile(join(etc, 'munge.key'), randomBytes(128), { mode: 0o600 })
    const conf = slurmConf({
      clusterName: this.name,
      base: this.base,
      controller,
      // As its users have it: a name, which on the host itself stands for loopback.
      nodes: decoys ? nodes.map(([name]) => [name, name] as const) : nodes,
      cpus,
      memory,
      gpus,
      settings: {
        ProctrackType: `proctrack/${processTracking}`,
        ...(constrainMemory ? { TaskPlugin: 'task/cgroup', SelectTypeParameters: 'CR_Core_Memory' } : {}),
        ...(family === 'IPv6' ? { CommunicationParameters: 'EnableIPv6,DisableIPv4' } : {}),
        ...settings,
      },
    })
    await writeFile(join(etc, 'slurm.conf'), conf)
    if (gpus > 0) await this.#writeGpus(gpus)
    await writeFile(join(etc, 'cgroup.conf'), usesCgroups(this.#options) ? cgroupConf(constrainMemory) : '')
  }

  /** Slurm wants a device for each, and opens none: these are all the null device. */
  async #writeGpus(gpus: number): Promise<void> {
    const devices = join(this.base, 'gpu')
    for (let n = 0; n < gpus; n++) await runCommand(['mknod', `${devices}${n}`, 'c', '1', '3'])
    await writeFile(join(this.base, 'etc/gres.conf'), `Name=gpu File=${devices}[0-${gpus - 1}]\n`)
  }

  async #startHost(name: string, address: string): Promise<void> {
    const { cacheSeconds = 0, defaultRoute = true, decoys = false, deadEnd = false } = this.#options
    if (usesCgroups(this.#options)) this.#withCgroups.add(name)
    const host = await Host.start({ name, address, base: this.base, cacheSeconds, visible: visibleFolders() })
    this.#hosts.set(name, host)
    if (this.#network === undefined) {
      this.#network = await Network.start(host)
      return
    }
    if (decoys) await this.#network.addDecoys(host)
    await this.#network.plug(host, { defaultRoute })
    if (deadEnd) await this.#network.addDeadEnd(host)
  }

  async #startSlurm(): Promise<void> {
    const [etc, munge, log] = ['etc', 'munge', 'log'].map((name) => join(this.base, name))
    const files = ['--pid-file', `${munge}/pid`, '--seed-file', `${munge}/seed`, '--log-file', `${log}/munged.log`]
    const socket = `${munge}/socket`
    const key = ['--key-file', `${etc}/munge.key`, '--socket', socket]
    this.#daemon(controllerName, ['munged', '--foreground', '--force', ...key, ...files])
    await until(
      async () => {
        this.#expectDaemons()
        return await this.run(controllerName, ['munge', '--no-input', '--socket', socket])
      },
      ({ status }) => status === 0,
      { what: 'munged answers', say: ({ stderr }) => stderr, patience: 20_000 },
    )
    this.#daemon(controllerName, ['slurmctld', '-D', '-c'])
    for (const name of this.nodes) this.#daemon(name, ['slurmd', '-D', '-N', name])
    await until(
      async () => {
        this.#expectDaemons()
        return await this.run(controllerName, ['sinfo', '--noheader', '--Node', '--format', '%N %T'])
      },
      // A node has a line for each of its partitions.
      ({ stdout }) => new Set(stdout.split('\n').filter((line) => line.endsWith(' idle'))).size === this.nodes.length,
      { what: 'all nodes are idle', say: ({ stdout, stderr }) => stdout + stderr, patience: 30_000, interval: 200 },
    )
  }

  /** Starts a program that lives as long as its host; the start fails where it ends before. */
  #daemon(host: string, command: readonly string[]): void {
    const child = this.host(host).spawn(command, { env: this.env, directory: '/' }, 'ignore')
    child.once('exit', () => (this.#lost ??= `${command[0] ?? ''} on ${host}`))
  }

  #expectDaemons(): void {
    if (this.#lost !== undefined) throw new Error(`${this.#lost} has ended`)
  }

  async #logs(): Promise<string> {
    const folder = join(this.base, 'log')
    const texts = (await readdir(folder)).map(async (name) => {
      const lines = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n')
      return `--- ${name}\n${lines.slice(-15).join('\n')}`
    })
    return (await Promise.all(texts)).join('\n')
  }
}

/** Whether slurmd makes control groups, which have the node's name. */
function usesCgroups({ processTracking, constrainMemory = false }: SlurmOptions): boolean {
  return processTracking === 'cgroup' || constrainMemory
}
