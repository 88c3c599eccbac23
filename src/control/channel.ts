/** One end of a two-way channel of messages: a {@link SocketChannel}, or a {@link LocalChannel}. */
export interface Channel<In, Out> {
  /** Resolves when the channel is closed, from either end; `silent` if the other end was not heard for too long. */
  readonly closed: Promise<'closed' | 'silent'>
  send(message: Out): void
  /** Calls `listener` with each message, those that came before included. */
  onMessage(listener: (message: In) => void): void
  /** Closes the channel after what was sent. */
  end(): void
  /** Closes the channel at once. */
  destroy(): void
  /** Does not keep the process alive. */
  unref(): void
}

/** One end of a channel within this process: rank 0 is a process of its own run too. */
export class LocalChannel<In, Out> implements Channel<In, Out> {
  readonly closed: Promise<'closed'>
  readonly #close: () => void
  readonly #in: Mailbox<In>
  readonly #out: Mailbox<Out>

  /** Both ends. */
  static pair<A, B>(): [LocalChannel<A, B>, LocalChannel<B, A>] {
    let close!: () => void
    const closed = new Promise<'closed'>((resolve) => {
      close = () => {
        resolve('closed')
      }
    })
    const [toLeft, toRight] = [new Mailbox<A>(), new Mailbox<B>()]
    return [new LocalChannel(closed, close, toLeft, toRight), new LocalChannel(closed, close, toRight, toLeft)]
  }

  private constructor(closed: Promise<'closed'>, close: () => void, incoming: Mailbox<In>, outgoing: Mailbox<Out>) {
    this.closed = closed
    this.#close = close
    this.#in = incoming
    this.#out = outgoing
  }

  send(message: Out): void {
    this.#out.put(message)
  }

  onMessage(listener: (message: In) => void): void {
    this.#in.open(listener)
  }

  /** The next message alone. */
  async next(): Promise<In> {
    return await this.#in.next()
  }

  end(): void {
    this.#close()
  }

  destroy(): void {
    this.#close()
  }

  unref(): void {
    // It never keeps the process alive.
  }
}

/** Keeps messages until somebody listens. */
export class Mailbox<T> {
  readonly #waiting: T[] = []
  #listener: ((message: T) => void) | undefined

  put(message: T): void {
    if (this.#listener === undefined) this.#waiting.push(message)
    else this.#listener(message)
  }

  open(listener: (message: T) => void): void {
    this.#listener = listener
    for (const message of this.#waiting.splice(0)) listener(message)
  }

  /** The next message alone; those after it are kept. */
  async next(): Promise<T> {
    return await new Promise((resolve) => {
      if (this.#waiting.length > 0) {
        resolve(this.#waiting.shift() as T)
        return
      }
      this.#listener = (message) => {
        this.#listener = undefined
        resolve(message)
      }
    })
  }
}
