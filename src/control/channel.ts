/** One end of a two-way line of messages: a {@link Wire}, or one end of a {@link localLine}. */
export interface Line<In, Out> {
  /** Resolves when the line is closed, from either end; `silent` where the other end was not heard for too long. */
  readonly closed: Promise<'closed' | 'silent'>
  send(message: Out): void
  /** Calls `listener` with each message, those that came before included. */
  onMessage(listener: (message: In) => void): void
  /** Closes the line after what was sent. */
  end(): void
  /** Closes the line at once. */
  destroy(): void
  /** Does not keep the process alive. */
  unref(): void
}

/** Both ends of a line within this process: process 0 is a process of its own run too. */
export function localLine<A, B>(): [Line<A, B>, Line<B, A>] {
  const unref = (): void => undefined
  let close!: () => void
  const closed = new Promise<'closed'>((resolve) => {
    close = () => {
      resolve('closed')
    }
  })
  const [toLeft, toRight] = [new Mailbox<A>(), new Mailbox<B>()]
  return [
    { closed, send: (m) => toRight.put(m), onMessage: (l) => toLeft.open(l), end: close, destroy: close, unref },
    { closed, send: (m) => toLeft.put(m), onMessage: (l) => toRight.open(l), end: close, destroy: close, unref },
  ]
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
