import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { Frames } from '../../src/control/frames.ts'
import { proveToCaller, proveToServer, type Session } from '../../src/control/handshake.ts'
import { networkName } from '../../src/util/network.ts'
import { ControlServer, type ControlServerOptions } from '../../src/control/server.ts'
import type { ClusterRecord } from '../../src/record/cluster-record.ts'

/** A control server on loopback that is closed when the test ends. */
export async function startServer(options: Partial<ControlServerOptions> = {}): Promise<ControlServer> {
  const server = await ControlServer.listen({
    runKey: 'sim-7.0-r0',
    nonce: 'the-nonce',
    secret: 'the-secret',
    host: '127.0.0.1',
    onMember: () => undefined,
    ...options,
  })
  onTestFinished(async () => {
    await server.close()
  })
  return server
}

/** The record of a run whose rank 0 answers at `port`. */
export async function recordOf(port: number, changes: Partial<ClusterRecord> = {}): Promise<ClusterRecord> {
  return {
    version: 1,
    run_key: 'sim-7.0-r0',
    nonce: 'the-nonce',
    host: 'node0',
    pid: 4711,
    control: { addresses: ['127.0.0.1'], port, network: await networkName() },
    secret: 'the-secret',
    n_workers: 2,
    ...changes,
  }
}

/** Some other program on a port of its own, closed when the test ends. */
export async function startStranger(talk: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    talk(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

/** A raw connection, which sends what it is given and collects what comes until the other side closes. */
export async function say(
  port: number,
  ...chunks: (string | Buffer)[]
): Promise<{ socket: Socket; answer: Promise<string> }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  onTestFinished(() => {
    socket.destroy()
  })
  const answer = new Promise<string>((resolve) => {
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.once('close', () => {
      resolve(text)
    })
  })
  await once(socket, 'connect')
  for (const chunk of chunks) socket.write(chunk)
  return { socket, answer }
}

/** Both ends of a connection. */
export async function socketPair(): Promise<[Socket, Socket]> {
  let accepted!: (socket: Socket) => void
  const far = new Promise<Socket>((resolve) => (accepted = resolve))
  const port = await startStranger((socket) => {
    accepted(socket)
  })
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  onTestFinished(() => {
    socket.destroy()
  })
  return [socket, await far]
}

/** A message as a frame of the handshake. */
export function frame(message: unknown): Buffer {
  const content = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([length, content])
}

/** Both ends of a proved connection, as the two ends see it. */
export async function provedPair(): Promise<[near: Proved, far: Proved]> {
  const [left, right] = (await socketPair()).map((socket) => new Frames(socket)) as [Frames, Frames]
  const shared = { runKey: 'sim-7.0-r0', secret: 'the-secret' }
  const [caller, server] = await Promise.all([proveToServer(right, 'join', shared), proveToCaller(left, () => shared)])
  return [
    { frames: left, session: server },
    { frames: right, session: caller },
  ]
}

interface Proved {
  readonly frames: Frames
  readonly session: Session
}
