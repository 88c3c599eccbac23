import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { onTestFinished } from 'vitest'
import { decodeMessage, encodeMessage } from '../../../src/dask/codec.ts'
import { FrameReader } from '../../../src/dask/frames.ts'

/** A program that listens, and ends with the test. */
export interface Peer {
  /** Without its protocol, such as `127.0.0.1:40257`. */
  readonly place: string
  /** Connections that are open. */
  readonly sockets: ReadonlySet<Socket>
}

/** Starts one that does with each connection what `talk` says. */
export async function startPeer(
  talk: (socket: Socket) => void,
  { host = '127.0.0.1', tls }: { host?: string; tls?: TlsOptions } = {},
): Promise<Peer> {
  const sockets = new Set<Socket>()
  const server = tls === undefined ? createServer(take) : createTlsServer(tls, take)
  server.listen(0, host)
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { address, family, port } = server.address() as AddressInfo
  return { place: `${family === 'IPv6' ? `[${address}]` : address}:${port}`, sockets }

  function take(socket: Socket): void {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    // Who does not read does not see the other side close.
    socket.resume()
    talk(socket)
  }
}

/** What Dask says at first. */
export const handshake = encodeMessage({ compression: 'lz4', python: [3, 11, 2], 'pickle-protocol': 5 })

/** A call, as a scheduler sees it. */
export type Call = Readonly<Record<string, unknown>> & { readonly op: string }

/** Speaks as a scheduler does: shakes hands, then does with each call what `answer` says. */
export function speakDask(socket: Socket, answer: (call: Call, send: (message: unknown) => void) => void): void {
  const reader = new FrameReader()
  let greeted = false
  socket.write(handshake)
  socket.on('data', (chunk) => {
    for (const frames of reader.push(chunk)) {
      if (greeted)
        answer(decodeMessage(frames) as Call, (message) => {
          socket.write(encodeMessage(message))
        })
      greeted = true
    }
  })
}

/** A scheduler that answers each call by itself with what `answer` gives; undefined for no answer. */
export async function startFakeScheduler(answer: (call: Call) => unknown, host?: string): Promise<Peer> {
  return await startPeer(
    (socket) => {
      speakDask(socket, (call, send) => {
        const reply = answer(call)
        if (reply !== undefined) send(reply)
      })
    },
    host === undefined ? {} : { host },
  )
}
