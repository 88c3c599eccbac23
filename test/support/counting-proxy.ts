import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { decodeMessage } from '../../src/dask/codec.ts'
import { FrameReader } from '../../src/dask/frames.ts'

/** Stands between a Dask scheduler and those who ask it, and counts what they ask. */
export class CountingProxy implements Disposable {
  /** What was asked, such as `identity`, in its order. */
  readonly asked: string[] = []
  /** When, by `performance.now()`. */
  readonly #times: number[] = []
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
          if (greeted) proxy.#count((decodeMessage(frames) as { op: string }).op)
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

  /**
   * How far the requests have been ahead of one each `interval` milliseconds at most, from the `first` of them on: k
   * where there were k + n after n intervals.
   */
  ahead(interval: number, first = 0): number {
    const began = this.#times[first] ?? 0
    return Math.max(0, ...this.#times.slice(first).map((time, i) => i + 1 - (time - began) / interval))
  }

  /** What was asked, from the `first` request on, and after how many milliseconds. */
  say(first = 0): string {
    const began = this.#times[first] ?? 0
    const all = this.asked.slice(first).map((op, i) => `${op} ${Math.round((this.#times[first + i] ?? 0) - began)}`)
    return all.join(', ')
  }

  #count(op: string): void {
    this.asked.push(op)
    this.#times.push(performance.now())
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
