import * as z from 'zod/mini'
import type { Frames } from './frames.ts'
import type { Session } from './handshake.ts'
import { type Channel, Mailbox } from './channel.ts'

/** Messages in both directions over a connection whose ends have proved themselves: sealed, and checked against their schema. */
export class SocketChannel<In, Out> implements Channel<In, Out> {
  /** Resolves when the connection has closed, however it did. */
  readonly closed: Promise<'closed'>
  readonly #frames: Frames
  readonly #session: Session
  readonly #mailbox = new Mailbox<In>()

  constructor(frames: Frames, session: Session, schema: z.ZodMiniType<In>) {
    this.#frames = frames
    this.#session = session
    this.closed = frames.closed
    frames.onFrame((frame) => {
      const message = parse(session.receiving.open(frame), schema)
      if (message === undefined) frames.refuse()
      else this.#mailbox.put(message)
    })
  }

  send(message: Out): void {
    this.#frames.send(this.#session.sending.seal(Buffer.from(JSON.stringify(message))))
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
    this.#frames.end()
  }

  /** Drops the connection. */
  destroy(): void {
    this.#frames.destroy()
  }

  unref(): void {
    this.#frames.unref()
  }
}

function parse<T>(text: Buffer | undefined, schema: z.ZodMiniType<T>): T | undefined {
  if (text === undefined) return undefined
  try {
    return z.parse(schema, JSON.parse(text.toString()))
  } catch {
    return undefined
  }
}
