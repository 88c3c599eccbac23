import type { Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import * as z from 'zod/mini'

/** A longer message is an attack or a stranger. In characters. */
const longestMessage = 262_144

/** Messages in both directions over one socket, each checked against its schema. */
export class Wire<In, Out> {
  /** Resolves when the connection has closed, however it did. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #schema: z.ZodMiniType<In>
  readonly #waiting: In[] = []
  #listener: ((message: In) => void) | undefined
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
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
  }

  send(message: Out): void {
    if (!this.#socket.writable) return
    this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  /** Calls `listener` with each message, those that came before included. */
  onMessage(listener: (message: In) => void): void {
    this.#listener = listener
    for (const message of this.#waiting.splice(0)) listener(message)
  }

  /** The first message, for a handshake; rejects where the connection closes before it. */
  async first(): Promise<In> {
    return await new Promise<In>((resolve, reject) => {
      void this.closed.then(() => reject(new Error('the connection was closed')))
      this.onMessage((message) => {
        this.#listener = undefined
        resolve(message)
      })
    })
  }

  /** Ends the connection after what was sent has gone out. */
  end(): void {
    this.#socket.end()
    this.#socket.unref()
  }

  /** Drops the connection. */
  destroy(): void {
    this.#socket.destroy()
  }

  unref(): void {
    this.#socket.unref()
  }

  ref(): void {
    this.#socket.ref()
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
      if (this.#listener === undefined) this.#waiting.push(message)
      else this.#listener(message)
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
