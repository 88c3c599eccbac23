import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { kill } from '../processes.ts'
import { type CommandResult, runCommand } from './command.ts'
import script from './host.sh'
import { type HostProcess, processesIn } from './processes.ts'

/** What makes a host. */
export interface HostOptions {
  readonly name: string
  readonly address: string
  /** Directory of the cluster. */
  readonly base: string
  /** How long the host's mount of the shared directory caches. In seconds; 0 is a plain mount. */
  readonly cacheSeconds: number
  /** Folders below /tmp that the host sees in its own. */
  readonly visible: readonly string[]
}

/** How a command runs on a host. */
export interface OnHostOptions {
  readonly env: NodeJS.ProcessEnv
  readonly directory: string
  readonly input?: string
}

/** The programs that make a host what it is; all others belong to a job, or to a person. */
const daemons: ReadonlySet<string> = new Set([
  'slurmd',
  'slurmctld',
  'munged',
  'slurmscriptd',
  'bindfs',
  'sge_qmaster',
  'sge_execd',
])

/**
 * One of the computers of a cluster: namespaces for network, names, processes and mounts, which live
 * and end with one process, and which nothing outside of them names. So nothing of a host can be left.
 */
export class Host {
  readonly name: string
  readonly address: string
  /** Its namespaces are those of this process of the machine. */
  readonly pid: number
  /** Its PID namespace, as `/proc/PID/ns/pid` says it. */
  readonly namespace: string
  readonly #unshare: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #started = new Map<ChildProcess, Promise<unknown>>()

  private constructor(options: HostOptions, unshare: ChildProcess, namespace: string) {
    this.name = options.name
    this.address = options.address
    this.pid = unshare.pid ?? -1
    this.#unshare = unshare
    this.#ended = once(unshare, 'close')
    this.namespace = namespace
  }

  /**
   * Makes a host that has no network yet.
   *
   * @throws Error with what the host said where it does not come up.
   */
  static async start(options: HostOptions): Promise<Host> {
    const { name, base, cacheSeconds, visible } = options
    const namespaces = ['--fork', '--kill-child', '--pid', '--mount-proc', '--mount', '--uts', '--net', '--ipc']
    const init = ['bash', '-c', script, 'host', name, base, String(cacheSeconds), ...visible]
    const unshare = spawn('unshare', [...namespaces, ...init], { cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] })
    let said = ''
    unshare.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    const ready = once(createInterface({ input: unshare.stdout }), 'line')
    const failed = new Promise((resolve, reject) => unshare.once('error', reject).once('close', resolve))
    await Promise.race([ready, failed])
    if (unshare.exitCode !== null || unshare.signalCode !== null || unshare.pid === undefined)
      throw new Error(`Cannot start the host "${name}":\n${said}`)
    return new Host(options, unshare, await readlink(`/proc/${unshare.pid}/ns/pid_for_children`))
  }

  /** Where the machine finds a path of the host, its own /tmp included. */
  path(path: string): string {
    return join(`/proc/${this.pid}/root`, path)
  }

  /** What to put before a command that is to run on this host. */
  enter(directory: string): [string, ...string[]] {
    const namespaces = ['--mount', '--uts', '--net', '--ipc', `--pid=/proc/${this.pid}/ns/pid_for_children`]
    const inDirectory = ['sh', '-c', 'cd "$0" && exec "$@"', directory]
    return ['nsenter', `--target=${this.pid}`, ...namespaces, '--', ...inDirectory]
  }

  /** Starts a command on this host. */
  spawn(command: readonly string[], { env, directory }: OnHostOptions, stdio: StdioOptions): ChildProcess {
    const [program, ...args] = this.enter(directory)
    const child = spawn(program, [...args, ...command], { cwd: '/', env, stdio })
    const ended = new Promise<void>((resolve) => child.once('error', () => resolve()).once('close', () => resolve()))
    this.#started.set(child, ended)
    void ended.then(() => this.#started.delete(child))
    return child
  }

  /** Runs a command on this host to its end. */
  async run(command: readonly string[], { env, directory, input = '' }: OnHostOptions): Promise<CommandResult> {
    return await runCommand([...this.enter(directory), ...command], { env, input })
  }

  /** All processes of this host that are not the host's own. */
  async processes(): Promise<HostProcess[]> {
    const all = await processesIn(this.namespace)
    return all.filter(({ parent, name }) => parent !== this.pid && !daemons.has(name))
  }

  /** Stops everything that runs here, the host's daemons included, or lets it go on. */
  async signalAll(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    for (const { pid } of await processesIn(this.namespace)) kill(pid, signal)
    if (signal === 'SIGCONT') this.#wake()
  }

  /** The nsenter and the unshare outside stop themselves with their children, and go on only when told. */
  #wake(): void {
    for (const child of [this.#unshare, ...this.#started.keys()]) child.kill('SIGCONT')
  }

  /** Ends everything that runs here, and the host with it. May be called twice. */
  async kill(): Promise<void> {
    this.#unshare.kill('SIGKILL')
    await this.#ended
    this.#wake()
    await Promise.all(this.#started.values())
  }
}
