import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../until.ts'
import { makeDirectory, visibleFolders } from './directory.ts'
import { Host } from './host.ts'
import { Network } from './network.ts'
import { formatProcesses } from './processes.ts'

/** What Dask leaves in a temporary directory. */
export const daskLeavings: ReadonlySet<string> = new Set(['dask-worker-space', 'dask-scratch-space'])

/** Names and addresses of hosts, that of the controller first. */
export type Addresses = readonly (readonly [name: string, address: string])[]

/** What a host has of its own. */
export interface HostChoices {
  /** @default 0 */
  readonly cacheSeconds?: number | undefined
  /** @default true */
  readonly defaultRoute?: boolean | undefined
  /** Interfaces before its network, which lead nowhere. @default false */
  readonly decoys?: boolean | undefined
  /** One behind it. @default false */
  readonly deadEnd?: boolean | undefined
}

/** The hosts of one cluster, which share nothing but a directory and a network, and what is the same in each workload manager's. */
export class Hosts implements AsyncDisposable {
  /** Directory of everything that the cluster owns. */
  readonly base: string
  readonly #hosts = new Map<string, Host>()
  #network: Network | undefined
  /** The daemon that has ended first. */
  #lost: string | undefined

  private constructor(base: string) {
    this.base = base
  }

  /** Makes the directory of a cluster of such hosts, which can look each other's name up unless `names` says otherwise. */
  static async make(addresses: Addresses, names = linesOf(addresses)): Promise<Hosts> {
    const hosts = new Hosts(await makeDirectory(addresses))
    await writeFile(join(hosts.base, 'etc/resolv.conf'), '')
    for (const [name] of addresses)
      await writeFile(join(hosts.base, 'hosts', name, 'hosts'), `127.0.0.1 localhost\n${names}`)
    return hosts
  }

  get names(): string[] {
    return [...this.#hosts.keys()]
  }

  /** What all programs have in their environment. */
  get env(): Readonly<Record<'PATH' | 'HOME' | 'USER' | 'LANG', string>> {
    return {
      PATH: `${this.base}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: `${this.base}/home`,
      USER: 'root',
      LANG: 'C.UTF-8',
    }
  }

  get(name: string): Host {
    const host = this.#hosts.get(name)
    if (host === undefined) throw new TypeError(`Cannot find the host "${name}": there are ${this.names.join(', ')}`)
    return host
  }

  /** Starts a host; the first is the one that the others are connected by. */
  async add(
    [name, address]: Addresses[number],
    { cacheSeconds = 0, defaultRoute = true, decoys = false, deadEnd = false }: HostChoices = {},
  ): Promise<Host> {
    const host = await Host.start({ name, address, base: this.base, cacheSeconds, visible: visibleFolders() })
    this.#hosts.set(name, host)
    if (this.#network === undefined) {
      this.#network = await Network.start(host)
      return host
    }
    if (decoys) await this.#network.addDecoys(host)
    await this.#network.plug(host, { defaultRoute })
    if (deadEnd) await this.#network.addDeadEnd(host)
    return host
  }

  /** Pulls a host's network cable, or puts it back. */
  async setLink(name: string, state: 'up' | 'down'): Promise<void> {
    await this.#network?.setLink(this.get(name), state)
  }

  /** A host dies: all of its processes at once, and without a word to those they were connected to. */
  async kill(name: string): Promise<void> {
    await this.setLink(name, 'down')
    await this.get(name).kill()
    this.#hosts.delete(name)
    await this.#network?.unplug(name)
  }

  /** Starts a program that lives as long as its host. */
  daemon(name: string, command: readonly string[], env: NodeJS.ProcessEnv): void {
    const child = this.get(name).spawn(command, { env, directory: '/' }, 'ignore')
    child.once('exit', () => (this.#lost ??= `${command[0] ?? ''} on ${name}`))
  }

  /** @throws Error where such a program has ended. */
  expectDaemons(): void {
    if (this.#lost !== undefined) throw new Error(`${this.#lost} has ended`)
  }

  /** Waits until no host runs anything but its daemons, and checks that nothing is left in the hosts' /tmp. */
  async expectNothingLeft(): Promise<void> {
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
  }

  /** The last lines of the logs of the cluster's programs. */
  async logs(): Promise<string> {
    const folder = join(this.base, 'log')
    const texts = (await readdir(folder)).map(async (name) => {
      const lines = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n')
      return `--- ${name}\n${lines.slice(-15).join('\n')}`
    })
    return (await Promise.all(texts)).join('\n')
  }

  /** Ends all hosts with everything on them, and removes the cluster's directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#hosts.values()].map(async (host) => await host.kill()))
    this.#hosts.clear()
    await rm(this.base, { recursive: true, force: true })
  }
}

/** The lines of an /etc/hosts. */
export function linesOf(addresses: Addresses): string {
  return addresses.map(([name, address]) => `${address} ${name}\n`).join('')
}
