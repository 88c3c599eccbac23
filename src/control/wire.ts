import type { Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import * as z from 'zod/mini'
import { type Line, Mailbox } from './line.ts'

/** A longer message is an attack or a stranger. In characters. */
const longestMessage = 262_144

/** Messages in both directions over one socket, each checked against its schema. */
export class Wire<In, Out> implements Line<In, Out> {
  /** Resolves when the connection has closed, however it did. */
  readonly closed: Promise<'closed'>
  readonly #socket: Socket
  readonly #schema: z.ZodMiniType<In>
  readonly #mailbox = new Mailbox<In>()
  #rest = ''

  constructor(socket: Socket, schema: z.ZodMiniType<In>) {
    this.#socket = socket
    this.#schema = schema
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 10_000)
    const decoder = new StringDecoder('utf8')
    socket.on('data', (chunk: Buffer) => {
      this.#read(decoder.write(chunk))
    })
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve('closed')
      })
    })
  }

  send(message: Out): void {
    if (!this.#socket.writable) return
    this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  /** Calls `listener` with each message, those that came before included. */
  onMessage(listener: (message: In) => void): void {
    this.#mailbox.open(listener)
  }

  /** The next message, for a handshake; rejects where the connection closes before it. */
  async next(): Promise<In> {
    const closed = this.closed.then((): never => {
      throw new Error('the connection was closed')
    })
    return await Promise.race([this.#mailbox.next(), closed])
  }

  /** Ends the connection after what was sent has gone out. */
  end(): void {
    this.#socket.destroySoon()
  }

  /** Drops the connection. */
  destroy(): void {
    this.#socket.destroy()
  }

  unref(): void {
    this.#socket.unref()
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > longestMessage) this.destroy()
    for (const line of lines) {
      const message = this.#parse(line)
      if (message === undefined) {
        this.destroy()
        return
      }
      this.#mailbox.put(message)
    }
  }

  #parse(line: string): In | undefined {
    try {
      return z.parse(this.#schema, JSON.parse(line))
    } catch {
      return undefined
    }
  }
}
