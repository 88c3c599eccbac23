import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { decodeMessage } from '../../src/dask/codec.ts'
import { FrameReader } from '../../src/dask/frames.ts'

/** Stands between a Dask scheduler and those who ask it, and counts what they ask. */
export class CountingProxy implements Disposable {
  /** What was asked, such as `identity`, in its order. */
  readonly asked: string[] = []
  readonly address: string
  readonly #sockets: Set<Socket>
  readonly #close: () => void

  private constructor(address: string, sockets: Set<Socket>, close: () => void) {
    this.address = address
    this.#sockets = sockets
    this.#close = close
  }

  /** Listens for those who want to ask the scheduler at `address`. */
  static async before(address: string): Promise<CountingProxy> {
    const { hostname: host, port } = new URL(address)
    const sockets = new Set<Socket>()
    const server = createServer((client) => {
      const scheduler = connect({ host, port: Number(port) })
      const reader = new FrameReader()
      let greeted = false
      client.on('data', (chunk) => {
        for (const frames of reader.push(chunk)) {
          if (greeted) proxy.asked.push((decodeMessage(frames) as { op: string }).op)
          greeted = true
        }
      })
      client.pipe(scheduler).pipe(client)
      for (const [socket, other] of [
        [client, scheduler],
        [scheduler, client],
      ] as const) {
        sockets.add(socket)
        socket
          .on('error', () => undefined)
          .on('close', () => {
            sockets.delete(socket)
            other.destroy()
          })
      }
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const mine = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
    const proxy: CountingProxy = new CountingProxy(mine, sockets, () => server.close())
    return proxy
  }

  /** Breaks every connection, as a network may; new ones can be made. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  [Symbol.dispose](): void {
    this.#close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
