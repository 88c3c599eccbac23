import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { RunnerError } from '../errors.ts'
import { portProblem, type PortRange, portsOf, formatPorts } from '../util/ports.ts'
import { settledWithin } from '../util/wait.ts'
import type { Channel } from './channel.ts'
import { Frames } from './frames.ts'
import { proveToCaller } from './handshake.ts'
import { type FromCoordinator, type Hello, type ToCoordinator, toCoordinatorSchema } from './messages.ts'
import { SocketChannel } from './socket-channel.ts'

/** A process of the run, as rank 0 sees it. */
export type MemberChannel = Channel<ToCoordinator, FromCoordinator>

/** So many may be proving themselves at once, besides as many as the run has processes. */
const spareConnections = 512

/** So many may wait to be accepted, where the system allows it: all processes of a run may come at once. */
const longestQueue = 4_096

/** What a control server answers to. */
export interface ControlServerOptions {
  readonly runKey: string
  /** Known to those who have read who owns the path, and ask whether the run is alive. */
  readonly nonce: string
  /** Known to the processes of the run, and to those who have read its record. */
  readonly secret: string
  /** How many processes may come at once. @default 1 */
  readonly size?: number
  /** Address to listen on. @default every interface */
  readonly host?: string
  /** Ports to try, in their order. @default a free one */
  readonly ports?: PortRange
  /** How messages call the option that has the ports. @default 'controlPort' */
  readonly portsName?: string
  /** Called with each process that has proved itself and said who it is; it waits for a `welcome`, or to be `refused`. */
  readonly onMember: (channel: MemberChannel, hello: Hello) => void
  /** Called with each second channel of a process, which carries heartbeats. */
  readonly onHeartbeatChannel?: (channel: MemberChannel, rank: number) => void
  /** Called with each observer. */
  readonly onObserver?: (observer: MemberChannel) => void
}

/** Rank 0's end of the control channel. */
export class ControlServer implements AsyncDisposable {
  readonly #options: ControlServerOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #unproved: Unproved
  #unrefed = false

  private constructor(options: ControlServerOptions) {
    this.#options = options
    this.#unproved = new Unproved(spareConnections + (options.size ?? 1))
    this.#server = createServer((socket) => {
      void this.#accept(socket)
    })
  }

  /** @throws RunnerError ERR_UNAVAILABLE where the address cannot be listened on, ERR_USAGE where this user may not. */
  static async listen(options: ControlServerOptions): Promise<ControlServer> {
    const { host, ports } = options
    const server = new ControlServer(options)
    let cause: unknown
    for (const port of ports === undefined ? [0] : portsOf(ports)) {
      try {
        server.#server.listen({ port, backlog: longestQueue, ...(host === undefined ? {} : { host }) })
        await once(server.#server, 'listening')
        return server
      } catch (error) {
        cause = error
      }
    }
    const { kind, why } = portProblem(cause, ports ?? { first: 0, last: 0 }, host)
    const what =
      ports === undefined
        ? `listen for the other processes on ${host ?? 'any address'}`
        : `use ${options.portsName ?? 'controlPort'} "${formatPorts(ports)}"`
    throw new RunnerError(`Cannot ${what}: ${why}`, {
      code: kind === 'forbidden' ? 'ERR_USAGE' : 'ERR_UNAVAILABLE',
      cause,
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Does not keep the process alive any longer; a connection that comes later neither. */
  unref(): void {
    this.#unrefed = true
    this.#server.unref()
    for (const socket of this.#sockets) socket.unref()
  }

  /** Closes every connection and stops listening. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    if (!this.#server.listening) return
    this.#server.close()
    for (const socket of this.#sockets) socket.destroySoon()
    if (!(await settledWithin(closed, 500))) for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #accept(socket: Socket): Promise<void> {
    this.#sockets.add(socket)
    if (this.#unrefed) socket.unref()
    socket.once('close', () => this.#sockets.delete(socket))
    const frames = new Frames(socket)
    this.#unproved.add(frames)
    try {
      await this.#receive(frames)
    } catch {
      frames.destroy()
    } finally {
      this.#unproved.delete(frames)
    }
  }

  /** @throws Error where the other end does not prove itself, or says nothing of sense. */
  async #receive(frames: Frames): Promise<void> {
    const { runKey, nonce, secret, onMember, onHeartbeatChannel, onObserver } = this.#options
    const { purpose, ...session } = await proveToCaller(frames, (of) => ({
      runKey,
      secret: of === 'ask' ? nonce : secret,
    }))
    const channel = new SocketChannel<ToCoordinator, FromCoordinator>(frames, session, toCoordinatorSchema)
    if (purpose === 'ask') channel.end()
    else if (purpose === 'observe') onObserver?.(channel)
    else {
      const hello = await channel.next()
      if (purpose === 'join' && hello.type === 'hello') onMember(channel, hello)
      else if (purpose === 'heartbeat' && hello.type === 'heartbeat-channel') onHeartbeatChannel?.(channel, hello.rank)
      else channel.destroy()
    }
  }
}

/** How long a connection may take until its other end has proved itself, on a slow network and a busy host. In milliseconds. */
const proofTimeout = 30_000

/**
 * Connections whose other end has not proved itself. Whoever reaches the port may make as many as he likes, so only so many are
 * kept: the oldest gives way to the newest. Somebody of the run needs no more than a moment, and tries again where that was too long.
 */
class Unproved {
  readonly #most: number
  readonly #timers = new Map<Frames, NodeJS.Timeout>()

  /** @param most how many are kept */
  constructor(most: number) {
    this.#most = most
  }

  add(frames: Frames): void {
    const late = setTimeout(() => {
      frames.destroy()
    }, proofTimeout)
    late.unref()
    this.#timers.set(frames, late)
    const [oldest] = this.#timers.keys()
    if (this.#timers.size > this.#most && oldest !== undefined) {
      this.delete(oldest)
      oldest.destroy()
    }
  }

  /** It has proved itself, or is closed. */
  delete(frames: Frames): void {
    clearTimeout(this.#timers.get(frames))
    this.#timers.delete(frames)
  }
}
