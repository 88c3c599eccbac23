import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What takes sealed news, and says whether it was any. */
export type TakeNews = (sealed: Buffer) => boolean

/** More is an attack or a stranger. In bytes. */
const longestNews = 262_144
/** How long a connection may take for all of it. In milliseconds. */
const patience = 3_000
/** Strangers may hold so many at a time. */
const mostConnections = 16
/** What is answered to news. */
const thanks = 'told'

/**
 * Listens for news until `signal` aborts: one connection carries one piece, to its end, and is
 * answered where that is taken.
 *
 * @param host the address to listen on; undefined: every interface
 * @returns the port.
 * @throws Error of the system where none can be listened on, or the signal's reason.
 */
export async function receiveNews(take: TakeNews, host: string | undefined, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    void allOf(socket).then((sealed) => {
      if (sealed !== undefined && take(sealed)) socket.end(thanks)
      else socket.destroy()
    })
  })
  server.maxConnections = mostConnections
  signal.addEventListener('abort', () => {
    server.close()
    // What was answered still goes out.
    for (const socket of open) if (!socket.writableEnded) socket.destroy()
  })
  server.listen({ port: 0, ...(host === undefined ? {} : { host }) })
  await once(server, 'listening', { signal })
  server.on('error', () => undefined)
  const { port } = server.address() as AddressInfo
  return port
}

/**
 * Sends news to one address. Nothing is thrown.
 *
 * @returns whether it was taken.
 */
export async function sendNews(
  { host, port }: { readonly host: string; readonly port: number },
  sealed: Buffer,
  signal: AbortSignal,
): Promise<boolean> {
  const socket = connect({ host, port })
  const stop = (): void => {
    socket.destroy()
  }
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  socket.unref()
  socket.end(sealed)
  const answer = await allOf(socket)
  socket.destroy()
  signal.removeEventListener('abort', stop)
  return answer?.toString('latin1') === thanks
}

/** What comes until the other end has sent all; undefined where it breaks off, is too long or too slow. */
async function allOf(socket: Socket): Promise<Buffer | undefined> {
  const late = setTimeout(() => {
    socket.destroy()
  }, patience)
  late.unref()
  return await new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > longestNews) socket.destroy()
      else chunks.push(chunk)
    })
    socket.once('end', () => {
      resolve(Buffer.concat(chunks))
    })
    socket.once('close', () => {
      clearTimeout(late)
      resolve(undefined)
    })
  })
}
