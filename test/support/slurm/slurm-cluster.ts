import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CommandResult, outputOf, runCommand } from './command.ts'
import { cgroupConf, removeCgroups } from './cgroups.ts'
import type { Host } from './host.ts'
import { type Addresses, Hosts, linesOf } from './hosts.ts'
import { isOver, type Job, parseJobs } from './job.ts'
import { addressOf, type Family } from './network.ts'
import { type HostProcess, formatProcesses } from './processes.ts'
import { slurmConf } from './slurm-conf.ts'
import { patient, until } from '../until.ts'

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

/**
 * A real Slurm of several hosts on this machine, which share nothing but a directory and a network.
 * Any number of them run side by side.
 */
export class SlurmCluster implements AsyncDisposable {
  /** Its `ClusterName`, which no other cluster of this machine has. */
  readonly name = `test${randomBytes(3).toString('hex')}`
  readonly #options: SlurmOptions
  readonly #hosts: Hosts
  readonly #addresses: Addresses
  /** Nodes that may have cgroups. */
  readonly #withCgroups = new Set<string>()

  private constructor(hosts: Hosts, addresses: Addresses, options: SlurmOptions) {
    this.#hosts = hosts
    this.#addresses = addresses
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
    const cluster = new SlurmCluster(await Hosts.make(addresses), addresses, options)
    try {
      await cluster.#writeConfiguration()
      for (const each of addresses) await cluster.#startHost(each)
      await options.mountShared?.(cluster)
      await cluster.#startSlurm()
      return cluster
    } catch (error) {
      const logs = await cluster.#hosts.logs()
      await cluster[Symbol.asyncDispose]()
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`Cannot start Slurm in ${cluster.base}: ${why}\n${logs}`, { cause: error })
    }
  }

  /** Directory of everything that the cluster owns. */
  get base(): string {
    return this.#hosts.base
  }

  /** The directory that all hosts share. */
  get shared(): string {
    return join(this.base, 'shared')
  }

  /** Names of the hosts that run jobs. */
  get nodes(): string[] {
    return this.hostNames.filter((name) => name !== controllerName)
  }

  /** Names of all hosts, that from which jobs are submitted included. */
  get hostNames(): string[] {
    return this.#hosts.names
  }

  /** The environment of everything that runs on a host. */
  get env(): Readonly<Record<string, string>> {
    return { ...this.#hosts.env, SLURM_CONF: `${this.base}/etc/slurm.conf` }
  }

  /** A host by its name. */
  host(name: string): Host {
    return this.#hosts.get(name)
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
  async wait(jobId: string, patience = patient): Promise<Job[]> {
    return await until(
      async () => await this.jobs(jobId),
      (all) => all.every(isOver),
      { what: `job ${jobId} is over`, say: async (all) => await this.#formatJobs(all), patience, interval: 500 },
    )
  }

  /** Waits until a job is in a state, such as `RUNNING`. */
  async waitFor(jobId: string, state: string, patience = patient): Promise<void> {
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
    await this.#hosts.kill(name)
  }

  /** A host that was killed is there again, with nothing on it, and ready for jobs. */
  async reviveHost(name: string): Promise<void> {
    for (const each of this.#addresses) if (each[0] === name) await this.#startHost(each)
    this.#daemon(name, ['slurmd', '-D', '-N', name])
    await this.waitForNode(name)
  }

  /** Waits until a node takes jobs. */
  async waitForNode(name: string): Promise<void> {
    const state = ['sinfo', '--noheader', '--nodes', name, '--format', '%T']
    await until(
      async () => (await this.on(controllerName, state)).trim(),
      (seen) => /^(idle|mixed|allocated)$/.test(seen),
      { what: `${name} takes jobs`, say: (seen) => seen, interval: 500 },
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
    await this.#hosts.setLink(host, 'down')
  }

  /** Puts it back. */
  async mendLink(host: string): Promise<void> {
    await this.#hosts.setLink(host, 'up')
  }

  /** Waits until no host runs anything but its daemons, and checks that nothing is left in the hosts' /tmp. */
  async expectNothingLeft(): Promise<void> {
    await this.#hosts.expectNothingLeft()
  }

  /** Ends all hosts with everything on them, and removes the cluster's directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts[Symbol.asyncDispose]()
    for (const node of this.#withCgroups) await removeCgroups(node)
  }

  async #writeConfiguration(): Promise<void> {
    const [controller = ['', ''], ...nodes] = this.#addresses
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
    const etc = join(this.base, 'etc')
    const localhost = `127.0.0.1 localhost\n${family === 'IPv6' ? '::1 localhost\n' : ''}`
    for (const [name] of this.#addresses) {
      const known = this.#addresses.filter((other) => namesResolve && !(decoys && other[0] === name))
      const own = decoys ? `127.0.1.1 ${name}\n` : ''
      await writeFile(join(this.base, 'hosts', name, 'hosts'), `${localhost}${own}${linesOf(known)}`)
    }
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

  async #startHost(each: Addresses[number]): Promise<void> {
    if (usesCgroups(this.#options)) this.#withCgroups.add(each[0])
    await this.#hosts.add(each, this.#options)
  }

  async #startSlurm(): Promise<void> {
    const [etc, munge, log] = ['etc', 'munge', 'log'].map((name) => join(this.base, name))
    const files = ['--pid-file', `${munge}/pid`, '--seed-file', `${munge}/seed`, '--log-file', `${log}/munged.log`]
    const socket = `${munge}/socket`
    const key = ['--key-file', `${etc}/munge.key`, '--socket', socket]
    this.#daemon(controllerName, ['munged', '--foreground', '--force', ...key, ...files])
    await until(
      async () => {
        this.#hosts.expectDaemons()
        return await this.run(controllerName, ['munge', '--no-input', '--socket', socket])
      },
      ({ status }) => status === 0,
      { what: 'munged answers', say: ({ stderr }) => stderr },
    )
    this.#daemon(controllerName, ['slurmctld', '-D', '-c'])
    for (const name of this.nodes) this.#daemon(name, ['slurmd', '-D', '-N', name])
    await until(
      async () => {
        this.#hosts.expectDaemons()
        return await this.run(controllerName, ['sinfo', '--noheader', '--Node', '--format', '%N %T'])
      },
      // A node has a line for each of its partitions.
      ({ stdout }) => new Set(stdout.split('\n').filter((line) => line.endsWith(' idle'))).size === this.nodes.length,
      { what: 'all nodes are idle', say: ({ stdout, stderr }) => stdout + stderr, interval: 200 },
    )
  }

  #daemon(host: string, command: readonly string[]): void {
    this.#hosts.daemon(host, command, this.env)
  }
}

/** Whether slurmd makes control groups, which have the node's name. */
function usesCgroups({ processTracking, constrainMemory = false }: SlurmOptions): boolean {
  return processTracking === 'cgroup' || constrainMemory
}
