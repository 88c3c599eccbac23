import { connect as open, type Socket } from 'node:net'
import { defaults } from '../defaults.ts'
import { errnoOf } from '../errors.ts'

/** What came of trying to connect. */
export type Reached = Socket | 'refused' | 'unreachable'

/** How to connect. */
export interface ReachOptions {
  /** Milliseconds. @default 3 s */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Connects to one address; nothing is thrown. */
export async function reach(
  host: string,
  port: number,
  { timeout = defaults.connectTimeout, signal }: ReachOptions = {},
): Promise<Reached> {
  if (signal?.aborted === true) return 'unreachable'
  return await new Promise<Reached>((resolve) => {
    const socket = open({ host, port })
    const give = (result: Reached): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', late)
      if (result !== socket) socket.destroy()
      resolve(result)
    }
    const late = (): void => {
      give('unreachable')
    }
    const timer = setTimeout(late, timeout)
    signal?.addEventListener('abort', late, { once: true })
    socket.once('connect', () => {
      give(socket)
    })
    socket.on('error', (error) => {
      give(errnoOf(error) === 'ECONNREFUSED' ? 'refused' : 'unreachable')
    })
  })
}
