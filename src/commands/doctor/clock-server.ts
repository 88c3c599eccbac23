import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { reach } from '../../control/reach.ts'
import { portsOf, readPorts } from '../../util/ports.ts'
import { deadline } from '../../util/wait.ts'
import { narrow, type Offset, offsetOfQuestion } from './clock.ts'

/** Gives milliseconds since 1970, as `Date.now` does. */
export type Clock = () => number

/** Listens where a part of the cluster would, and tells everybody who asks what its clock says. */
export interface ClockServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
}

/** @param ports the ports that may be listened on, as Dask writes them; undefined for any */
export async function serveClock(host: string, ports: string | undefined, clock: Clock): Promise<ClockServer> {
  for (const candidate of ports === undefined ? [0] : portsOf(readPorts('port', ports))) {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
      socket.on('data', () => socket.write(`${clock()}\n`))
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

/** How often the other clock is asked; the quickest answer tells most. */
const questions = 5

/** How long an answer may take. In milliseconds. */
const answerTimeout = 2_000

/** What came of asking a {@link ClockServer}. */
export interface Asked {
  readonly answer: 'answers' | 'refuses' | 'unreachable'
  /** Our clock less the server's; null where it did not tell. */
  readonly offset: Offset | null
}

/** Asks the clock of another host; nothing is thrown but the reason of `signal`. */
export async function askClock(host: string, port: number, clock: Clock, signal: AbortSignal): Promise<Asked> {
  const socket = await reach(host, port, { signal })
  signal.throwIfAborted()
  if (socket === 'refused') return { answer: 'refuses', offset: null }
  if (socket === 'unreachable') return { answer: 'unreachable', offset: null }
  try {
    socket.setNoDelay(true)
    const offsets: Offset[] = []
    for (let i = 0; i < questions; i++) offsets.push(await ask(socket, clock, signal))
    return { answer: 'answers', offset: narrow(...(offsets as [Offset])) }
  } catch {
    signal.throwIfAborted()
    return { answer: 'answers', offset: null }
  } finally {
    socket.destroy()
  }
}

async function ask(socket: Socket, clock: Clock, signal: AbortSignal): Promise<Offset> {
  const before = clock()
  const answer = once(socket, 'data', { signal }) as Promise<[Buffer]>
  socket.write('?')
  const [data] = await deadline(answer, answerTimeout, () => new Error('no answer'), signal)
  const after = clock()
  const other = Number(data.toString())
  if (!Number.isFinite(other) || other <= 0) throw new Error('no clock')
  return offsetOfQuestion({ before, other, after })
}
