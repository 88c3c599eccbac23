import type { Socket } from 'node:net'
import { Mailbox } from './channel.ts'

/** All that is taken from somebody who has not proved himself yet. In bytes. */
const mostBeforeProof = 4_096
/** A longer frame is a mistake. In bytes, its length included. */
const longestFrame = 1_048_576
const lengthBytes = 4

/** Whole frames over a socket: four bytes of length, the most significant first, and then the content. */
export class Frames {
  /** Resolves when the connection has closed, however it did. */
  readonly closed: Promise<'closed'>
  readonly #socket: Socket
  readonly #mailbox = new Mailbox<Buffer>()
  #isTrusted = false
  #received = 0
  #rest: Buffer = Buffer.alloc(0)
  #isGarbage = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 10_000)
    socket.on('data', (chunk: Buffer) => {
      this.#read(chunk)
    })
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve('closed')
      })
    })
  }

  /** The other end has proved itself: from now on it may send as much as it likes. */
  trust(): void {
    this.#isTrusted = true
  }

  /** Whether the connection was dropped because what came over it made no sense. */
  get isGarbage(): boolean {
    return this.#isGarbage
  }

  send(content: Buffer): void {
    if (!this.#socket.writable) return
    const frame = Buffer.allocUnsafe(lengthBytes + content.length)
    frame.writeUInt32BE(content.length)
    content.copy(frame, lengthBytes)
    this.#socket.write(frame)
  }

  /** Calls `listener` with each frame, those that came before included. */
  onFrame(listener: (content: Buffer) => void): void {
    this.#mailbox.open(listener)
  }

  /** The next frame; rejects where the connection closes before it. */
  async next(): Promise<Buffer> {
    return await Promise.race([
      this.#mailbox.next(),
      this.closed.then((): never => {
        throw new Error('the connection was closed')
      }),
    ])
  }

  /** Ends the connection after what was sent has gone out. */
  end(): void {
    this.#socket.destroySoon()
  }

  /** Drops the connection. */
  destroy(): void {
    this.#socket.destroy()
  }

  /** Drops the connection, over which something came that makes no sense. */
  refuse(): void {
    this.#isGarbage = true
    this.#socket.destroy()
  }

  unref(): void {
    this.#socket.unref()
  }

  #read(chunk: Buffer): void {
    this.#received += chunk.length
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (rest.length >= lengthBytes && !this.#isTooMuch(rest)) {
      const end = lengthBytes + rest.readUInt32BE()
      if (rest.length < end) break
      this.#mailbox.put(rest.subarray(lengthBytes, end))
      if (this.#socket.destroyed) return
      rest = rest.subarray(end)
    }
    this.#rest = rest
    if (this.#isTooMuch(rest)) this.refuse()
  }

  /** Whether what has come, or the frame that `rest` begins with, is more than is taken. */
  #isTooMuch(rest: Buffer): boolean {
    if (!this.#isTrusted && this.#received > mostBeforeProof) return true
    if (rest.length < lengthBytes) return false
    return lengthBytes + rest.readUInt32BE() > (this.#isTrusted ? longestFrame : mostBeforeProof)
  }
}
