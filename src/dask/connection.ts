import { connect as connectTcp, type Socket } from 'node:net'
import { defaults } from '../defaults.ts'
import { messageOf } from '../errors.ts'
import { deferred } from '../util/deferred.ts'
import { formatDuration, longestTimer } from '../util/duration.ts'
import { monotonic } from '../util/monotonic.ts'
import { printable } from '../util/printable.ts'
import { reach } from '../util/reach.ts'
import type { TlsFiles } from '../util/tls-files.ts'
import { deadline } from '../util/wait.ts'
import { parseAddress } from './address.ts'
import { decodeMessage, encodeMessage } from './codec.ts'
import { DaskError, type DaskErrorReason } from './errors.ts'
import { FrameReader } from './frames.ts'
import { Inbox } from './inbox.ts'
import { handshakeLimits, wireLimits } from './limits.ts'
import { describeHalfHandshake, identifyPeer } from './identify-peer.ts'
import { formatError, whyNotConnected } from './why-failed.ts'

/** How to wait for a peer. */
export interface AnswerOptions {
  /** Milliseconds until the peer counts as silent. @default 10 s for a call, 3 s for a connection */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

/** How to connect. */
export interface DaskConnectionOptions extends AnswerOptions {
  /** For `tls://`. */
  readonly tls?: TlsFiles
}

/**
 * What we say of ourselves; null turns compression off, in both directions. Dask passes over what it does not
 * know, and a web server, which waits for an empty line, answers it.
 */
const handshake = encodeMessage({
  ...{ compression: null, python: [3, 9, 0], 'pickle-protocol': 4 },
  'for-a-web-server': '\r\n\r\n',
})
/**
 * A connection to a Dask scheduler or worker. Dask serves the calls of one connection one after the
 * other, so do we; whoever does not want to wait opens a second one.
 */
export class DaskConnection implements Disposable {
  readonly address: string
  readonly #socket: Socket
  readonly #reader = new FrameReader(handshakeLimits)
  readonly #inbox = new Inbox()
  /** What the peer sent first, for the case that it is not Dask. */
  #heard = Buffer.alloc(0)
  /** Whether hands have been shaken. */
  #ready = false
  /** Settles when the last of the calls has had its turn. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(address: string, socket: Socket, tls: boolean) {
    this.address = address
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#hear(chunk)
    })
    socket.on('error', (error) => {
      if (this.#ready) this.#break('closed', `the connection broke (${formatError(error)})`, error)
      else this.#break(...whyNotConnected(error, { tls, heard: this.#heard }), error)
    })
    socket.on('close', () => {
      if (this.#ready) this.#break('closed', 'it closed the connection')
      else this.#break('not-dask', identifyPeer(this.#heard))
    })
  }

  /**
   * Connects and shakes hands.
   *
   * @throws DaskError where that does not come about within the time.
   * @throws RangeError where the address is none.
   * @throws RunnerError ERR_ENVIRONMENT where the files for TLS cannot be used.
   */
  static async open(address: string, options: DaskConnectionOptions = {}): Promise<DaskConnection> {
    const { protocol, host, port } = parseAddress(address)
    const { timeout = defaults.connectTimeout, signal, tls } = options
    const end = monotonic() + timeout
    signal?.throwIfAborted()
    const secure = protocol === 'tls'
    if (secure && tls === undefined)
      throw new DaskError(`Cannot connect to ${address}: TLS needs a certificate; name its files`, {
        reason: 'tls',
        address,
      })
    const place = { host, port }
    // Few runs use TLS, and Node takes its time to load it.
    const socket =
      secure && tls !== undefined ? await (await import('./connect-tls.ts')).connectTls(place, tls) : connectTcp(place)
    const connection = new DaskConnection(address, socket, secure)
    try {
      await connection.#shakeHands(timeout, signal)
      return connection
    } catch (error) {
      connection.close()
      const wentAway = error instanceof DaskError && error.reason === 'not-dask' && connection.#heard.length === 0
      // One that dies while it shakes hands looks like a stranger, unless one looks again.
      if (wentAway && (await refuses(place, end - monotonic())))
        throw connection.#error('refused', 'it ended while it was asked', error)
      throw error
    }
  }

  /**
   * Makes a call that is answered: `{op, reply: true, …}`. Calls wait for each other, within their time.
   *
   * @throws DaskError `call-failed` where the peer answers with an exception; another one where the answer does not come,
   * and then the connection is closed, unless the call was still waiting for its turn.
   */
  async request(op: string, arguments_: object = {}, options: AnswerOptions = {}): Promise<unknown> {
    const { timeout = defaults.callTimeout, signal } = options
    const end = monotonic() + timeout
    const late = (): DaskError =>
      this.#error('silent', `it does not answer "${op}" within ${formatDuration(timeout)}: busy, or frozen`)
    const before = this.#turn
    const mine = deferred<undefined>()
    this.#turn = before.then(() => mine.promise)
    try {
      await deadline(before, Math.min(timeout, longestTimer), late, signal)
      const answer = await this.#ask({ op, reply: true, ...arguments_ }, end - monotonic(), late, signal)
      const exception = exceptionIn(answer)
      if (exception === undefined) return answer
      const why = `Cannot ${op} at ${this.address}: it answers ${printable(exception)}`
      throw new DaskError(why, { reason: 'call-failed', address: this.address })
    } finally {
      mine.resolve(undefined)
    }
  }

  /**
   * Sends a message that is not answered.
   *
   * @throws DaskError where the connection is closed.
   */
  send(message: object): void {
    if (this.#inbox.failure !== undefined) throw this.#inbox.failure
    this.#socket.write(encodeMessage(message))
  }

  /**
   * Resolves when the connection has closed; what the peer still sends is dropped.
   *
   * @throws DaskError where it has not within the time.
   */
  async closed({ timeout = defaults.callTimeout, signal }: AnswerOptions = {}): Promise<void> {
    const end = monotonic() + timeout
    const late = this.#error('silent', `it keeps the connection open for ${formatDuration(timeout)}: busy, or frozen`)
    try {
      for (;;) {
        await this.#next(end - monotonic(), () => late, signal)
        if (monotonic() > end) throw late
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (error === late) throw error
    }
  }

  /** Does not keep the process alive. */
  unref(): void {
    this.#socket.unref()
  }

  /** Closes the connection; what waits is told. May be called twice. */
  close(): void {
    this.#break('closed', 'the connection was closed on our side')
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async #shakeHands(timeout: number, signal: AbortSignal | undefined): Promise<void> {
    this.#socket.setNoDelay(true)
    this.#socket.write(handshake)
    const answer = await this.#next(
      timeout,
      () =>
        this.#socket.connecting
          ? this.#error('unreachable', `no answer within ${formatDuration(timeout)}`)
          : this.#error('silent', `${describeHalfHandshake(this.#heard)} within ${formatDuration(timeout)}`),
      signal,
    )
    if (typeof answer !== 'object' || answer === null || !('pickle-protocol' in answer))
      throw this.#error('not-dask', identifyPeer(this.#heard))
    this.#ready = true
    this.#reader.limits = wireLimits
  }

  async #ask(message: object, left: number, late: () => Error, signal: AbortSignal | undefined): Promise<unknown> {
    this.send(message)
    try {
      return await this.#next(left, late, signal)
    } catch (error) {
      // The answer may still come, and would be taken for that of the next call.
      this.close()
      throw error
    }
  }

  async #next(ms: number, late: () => Error, signal: AbortSignal | undefined): Promise<unknown> {
    const message = this.#inbox.next(Math.min(ms, longestTimer), late, signal)
    if (this.#inbox.size === 0) this.#socket.resume()
    return await message
  }

  #hear(chunk: Buffer): void {
    if (this.#inbox.failure !== undefined) return
    if (!this.#ready && this.#heard.length < 64) this.#heard = Buffer.concat([this.#heard, chunk.subarray(0, 64)])
    try {
      for (const frames of this.#reader.push(chunk)) this.#inbox.put(decodeMessage(frames, this.#reader.limits))
    } catch (error) {
      this.#break('not-dask', this.#ready ? `it sent ${messageOf(error)}` : identifyPeer(this.#heard), error)
    }
    // Who sends what nobody has asked for has to wait until somebody does.
    if (this.#inbox.size > 0) this.#socket.pause()
  }

  #break(reason: DaskErrorReason, why: string, cause?: unknown): void {
    this.#socket.destroy()
    if (this.#inbox.failure === undefined) this.#inbox.fail(this.#error(reason, why, cause))
  }

  #error(reason: DaskErrorReason, why: string, cause?: unknown): DaskError {
    const what = this.#ready ? 'go on with' : 'connect to'
    return new DaskError(`Cannot ${what} the Dask peer at ${this.address}: ${why}`, {
      reason,
      address: this.address,
      cause,
    })
  }
}

/** Dask's text of the exception, where it answers that its handler has raised one. */
function exceptionIn(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('status' in answer)) return undefined
  if (answer.status !== 'uncaught-error') return undefined
  const text = 'exception_text' in answer ? answer.exception_text : ''
  return typeof text === 'string' && text !== '' ? text : 'an error without words'
}

/** Whether nothing listens at a place. */
async function refuses(
  { host, port }: { readonly host: string; readonly port: number },
  timeout: number,
): Promise<boolean> {
  const reached = await reach(host, port, { timeout })
  if (typeof reached !== 'string') reached.destroy()
  return reached === 'refused'
}
