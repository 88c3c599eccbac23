import { commandOutput } from './command.ts'
import type { Host } from './host.ts'

/** The first three numbers of every address. No two clusters meet, so all have the same. */
const prefix = '10.97.0'

/** The address of the n-th host; the controller is the first. */
export function addressOf(index: number): string {
  return `${prefix}.${index + 1}`
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
      `addr add ${controller.address}/24 dev bridge0`,
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
    await ip(host, [`addr add ${host.address}/24 dev eth0`, 'link set eth0 up', ...(defaultRoute ? route : [])])
  }

  /**
   * Gives a host a second interface `eth1`, whose address is of one network with those of the other
   * hosts and reaches none of them.
   */
  async addDeadEnd(host: Host): Promise<void> {
    const last = host.address.split('.').at(-1) ?? ''
    // A cable whose other end hangs loose.
    await ip(host, [
      'link add eth1 type veth peer name loose1',
      `addr add 10.98.0.${last}/24 dev eth1`,
      'link set eth1 up',
      'link set loose1 up',
    ])
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

/** Runs commands of `ip` in a host's network. Process ids in them are this machine's. */
async function ip(host: Host, commands: readonly string[]): Promise<void> {
  const command = ['nsenter', `--net=/proc/${host.pid}/ns/net`, 'ip', '-batch', '-'] as const
  await commandOutput(command, { input: `${commands.join('\n')}\n` })
}
