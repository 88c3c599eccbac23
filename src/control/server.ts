import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { defaults } from '../defaults.ts'
import { messageOf, RunnerError } from '../errors.ts'
import { type PortRange, portsOf } from '../util/ports.ts'
import { settledWithin } from '../util/wait.ts'
import { type FromHub, type Hello, type ToHub, toHubSchema } from './messages.ts'
import { Wire } from './wire.ts'

/** A process of the run, as process 0 sees it. */
export type Peer = Wire<ToHub, FromHub>

/** What a control server answers to. */
export interface ControlServerOptions {
  readonly runKey: string
  readonly nonce: string
  readonly secret: string
  /** Address to listen on. @default every interface */
  readonly host?: string
  /** Ports to try, in their order. @default a free one */
  readonly ports?: PortRange
  /** Called with each process that has shown the secret. It is already welcomed. */
  readonly onPeer: (peer: Peer, hello: Hello) => void
  /** Called with each second line of a process, which carries beats. It is already welcomed. */
  readonly onPulse?: (peer: Peer, rank: number) => void
  /** Called with each visitor that has shown the secret. It is already welcomed. */
  readonly onVisitor?: (visitor: Peer) => void
}

/** Process 0's end of the control channel. */
export class ControlServer implements AsyncDisposable {
  readonly #options: ControlServerOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #unrefed = false

  private constructor(options: ControlServerOptions) {
    this.#options = options
    this.#server = createServer((socket) => {
      this.#accept(socket)
    })
  }

  /** @throws RunnerError ERR_UNAVAILABLE where the address cannot be listened on. */
  static async listen(options: ControlServerOptions): Promise<ControlServer> {
    const { host, ports } = options
    const server = new ControlServer(options)
    let cause: unknown
    for (const port of ports === undefined ? [0] : portsOf(ports)) {
      try {
        server.#server.listen({ port, ...(host === undefined ? {} : { host }) })
        await once(server.#server, 'listening')
        return server
      } catch (error) {
        cause = error
      }
    }
    const where = `${host ?? 'any address'}${ports === undefined ? '' : `, ports ${ports.first} to ${ports.last}`}`
    throw new RunnerError(`Cannot listen for the other processes on ${where}: ${messageOf(cause)}`, {
      code: 'ERR_UNAVAILABLE',
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

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    if (this.#unrefed) socket.unref()
    socket.once('close', () => this.#sockets.delete(socket))
    const peer: Peer = new Wire(socket, toHubSchema)
    // Who says nothing in time is not one of us.
    const silence = setTimeout(() => {
      peer.destroy()
    }, defaults.connectTimeout)
    silence.unref()
    peer.next().then(
      (message) => {
        clearTimeout(silence)
        this.#answer(peer, message)
      },
      () => {
        clearTimeout(silence)
      },
    )
  }

  #answer(peer: Peer, message: ToHub): void {
    const { runKey, nonce, secret, onPeer, onPulse, onVisitor } = this.#options
    const isOurs =
      (message.type === 'hello' || message.type === 'visit' || message.type === 'pulse') &&
      message.run_key === runKey &&
      sameSecret(message.secret, secret)
    if (message.type === 'who') {
      peer.send({ type: 'run', run_key: runKey, nonce })
      peer.end()
    } else if (!isOurs) {
      peer.send({ type: 'refused', why: `this is run ${runKey}, and the caller is not of it` })
      peer.end()
    } else {
      peer.send({ type: 'welcome' })
      if (message.type === 'hello') onPeer(peer, message)
      else if (message.type === 'pulse') onPulse?.(peer, message.rank)
      else onVisitor?.(peer)
    }
  }
}

function sameSecret(shown: string, secret: string): boolean {
  const [a, b] = [Buffer.from(shown), Buffer.from(secret)]
  return a.length === b.length && timingSafeEqual(a, b)
}
