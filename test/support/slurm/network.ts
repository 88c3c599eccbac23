import { commandOutput } from './command.ts'
import type { Host } from './host.ts'

/** What every address begins with. No two clusters meet, so all have the same. */
const prefixes = { IPv4: '10.97.0.', IPv6: 'fd00:97::' } as const
export type Family = keyof typeof prefixes

/** The address of the n-th host; the controller is the first. */
export function addressOf(index: number, family: Family): string {
  return `${prefixes[family]}${index + 1}`
}

/** An address with its network, for `ip`; the kernel need not look whether another host has it. */
function inNetwork(address: string): string {
  return address.includes(':') ? `${address}/64 nodad` : `${address}/24`
}

/** A cable for each host and, in the controller's namespace, the switch that they end in. */
export class Network {
  readonly #controller: Host

  private constructor(controller: Host) {
    this.#controller = controller
  }

  /** Puts a switch into the controller, which is connected to it itself. */
  static async start(controller: Host): Promise<Network> {
    await ip(controller, [
      'link add bridge0 type bridge',
      `addr add ${inNetwork(controller.address)} dev bridge0`,
      'link set bridge0 up',
    ])
    return new Network(controller)
  }

  /** Connects a host, whose interface is `eth0`. */
  async plug(host: Host, { defaultRoute }: { readonly defaultRoute: boolean }): Promise<void> {
    await ip(this.#controller, [
      `link add ${host.name} type veth peer name eth0 netns ${host.pid}`,
      `link set ${host.name} master bridge0 up`,
    ])
    const route = [`route add default via ${this.#controller.address}`]
    await ip(host, [`addr add ${inNetwork(host.address)} dev eth0`, 'link set eth0 up', ...(defaultRoute ? route : [])])
  }

  /**
   * Gives a host what comes before its network, and leads to no other: the link to its service processor, and
   * the bridge of its containers, which has the same address on every host.
   */
  async addDecoys(host: Host): Promise<void> {
    const last = host.address.split(/[.:]/).at(-1) ?? ''
    await ip(host, [...looseEnd('usb0', `169.254.3.${last}/16`), ...looseEnd('docker0', '172.17.0.1/16')])
  }

  /**
   * Gives a host a second interface `eth1`, whose address is of one network with those of the other
   * hosts and reaches none of them.
   */
  async addDeadEnd(host: Host): Promise<void> {
    const last = host.address.split('.').at(-1) ?? ''
    await ip(host, looseEnd('eth1', `10.98.0.${last}/24`))
  }

  /** Removes the cable of a host that has died: what the kernel still wants to send there would keep it. */
  async unplug(host: string): Promise<void> {
    await ip(this.#controller, [`link delete ${host}`])
  }

  /** Pulls a host's cable, or puts it back: nobody is told. */
  async setLink(host: Host, state: 'up' | 'down'): Promise<void> {
    await ip(this.#controller, [`link set ${host.name} ${state}`])
  }
}

/** Commands that make an interface with a cable whose other end hangs loose. */
function looseEnd(name: string, address: string): string[] {
  const other = `loose-${name}`
  return [
    `link add ${name} type veth peer name ${other}`,
    `addr add ${address} dev ${name}`,
    `link set ${name} up`,
    `link set ${other} up`,
  ]
}

/** Runs commands of `ip` in a host's network. Process ids in them are this machine's. */
async function ip(host: Host, commands: readonly string[]): Promise<void> {
  const command = ['nsenter', `--net=/proc/${host.pid}/ns/net`, 'ip', '-batch', '-'] as const
  await commandOutput(command, { input: `${commands.join('\n')}\n` })
}
