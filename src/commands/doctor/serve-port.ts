import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { portsOf, readPorts } from '../../util/ports.ts'

/** Listens where rank 0 of a run would, so that the others can try to connect. */
export interface ServedPort extends AsyncDisposable {
  readonly host: string
  readonly port: number
}

/** @param ports the ports that may be listened on, as Dask writes them; undefined for any */
export async function servePort(host: string, ports: string | undefined): Promise<ServedPort> {
  for (const candidate of ports === undefined ? [0] : portsOf(readPorts('port', ports))) {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    })
    try {
      server.listen({ host, port: candidate, exclusive: true })
      await once(server, 'listening')
    } catch (error) {
      if (candidate === 0) throw error
      continue
    }
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : candidate
    const close = async (): Promise<void> => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    }
    return { host, port, [Symbol.asyncDispose]: close }
  }
  throw new Error(`Cannot listen on ${host}: something listens on port ${ports ?? '0'} already`)
}
