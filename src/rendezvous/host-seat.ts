import { createHash, randomBytes } from 'node:crypto'
import { constants, type FileHandle, open, unlink } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errnoOf } from '../errors.ts'
import { sleep } from '../util/wait.ts'

/** Between two signs of life of the process that looks. In milliseconds. */
const beatInterval = 1_000
/** Silence after which the others look themselves: the one that looks may be stopped. In milliseconds. */
const longestSilence = 3_000
/** How long a greeting may take, and how long it may be in bytes: anybody on this host may sit in the seat. */
const [greetingTimeout, longestGreeting] = [1_000, 64]
/** More processes of a run are on no host, and anybody may connect. */
const mostListeners = 1_024
/** How often a process tries for a seat, while others come and go. */
const attempts = 20
/** Where the one that looks is stopped, the others meet at the next of so many places. */
const places = 3

/** The processes of one host that wait for the same take seats: one of them looks, the others are told. */
export type Seat = LookerSeat | ListenerSeat | undefined

/**
 * Takes a seat among the processes of this host that wait for the same `thing`, such as a run directory.
 * They meet at a socket without a file (Linux's abstract ones), so that nothing is left behind and a
 * dead looker's seat is free at once. It tells nothing but where, in the looker's own file descriptors,
 * the text is: those the kernel opens to processes of the same user only.
 *
 * @returns undefined where a process has to look for itself.
 */
export async function takeSeat(thing: string, signal?: AbortSignal): Promise<Seat> {
  const uid = process.getuid?.()
  if (process.platform !== 'linux' || uid === undefined) return undefined
  const digest = createHash('sha256').update(thing).digest('hex').slice(0, 24)
  const name = `\0dask-hpc-runner-${uid}-${digest}`
  for (let place = 0; place < places; place++) {
    const seat = await takePlace(place === 0 ? name : `${name}-${place}`, uid, signal)
    if (seat !== 'silent') return seat
  }
  return undefined
}

async function takePlace(name: string, uid: number, signal?: AbortSignal): Promise<Seat | 'silent'> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    signal?.throwIfAborted()
    const listener = await ListenerSeat.take(name, uid, signal)
    if (listener === 'stranger') return undefined
    if (listener !== 'free') return listener
    const looker = await LookerSeat.take(name)
    if (looker !== 'taken') return looker
    await sleep(10 + 40 * Math.random(), signal)
  }
  return undefined
}

/** The seat of the process that looks for all of its host. */
export class LookerSeat {
  readonly kind = 'looker'
  readonly #server: Server
  readonly #board: Promise<FileHandle>
  readonly #listeners = new Set<Socket>()
  readonly #beat: NodeJS.Timeout
  #hasTold = false

  private constructor() {
    this.#server = createServer((socket) => {
      void this.#greet(socket)
    })
    this.#server.maxConnections = mostListeners
    this.#board = openBoard()
    this.#board.catch(() => undefined)
    this.#beat = setInterval(() => {
      for (const socket of this.#listeners) socket.write('.')
    }, beatInterval)
  }

  static async take(name: string): Promise<LookerSeat | 'taken' | undefined> {
    const seat = new LookerSeat()
    try {
      await listen(seat.#server, name)
      await seat.#board
      return seat
    } catch (error) {
      await seat.leave()
      return errnoOf(error) === 'EADDRINUSE' ? 'taken' : undefined
    }
  }

  /** How many processes this one looks for, itself included. */
  get size(): number {
    return this.#listeners.size + 1
  }

  /** Gives the others what was found, those included that come later. It is told once. */
  async tell(text: string): Promise<void> {
    try {
      await (await this.#board).write(text, 0)
      this.#hasTold = true
      for (const socket of this.#listeners) socket.write('!')
    } catch {
      // They look themselves once this seat is free.
    }
  }

  /** Frees the seat: whoever was told nothing takes it. */
  async leave(): Promise<void> {
    clearInterval(this.#beat)
    this.#server.close()
    for (const socket of this.#listeners) {
      // Whoever was told has better things to do than to notice that we are gone, and closes its end itself.
      if (this.#hasTold) socket.unref()
      else socket.destroySoon()
    }
    await this.#board.then(
      async (board) => {
        await board.close()
      },
      () => undefined,
    )
  }

  async #greet(socket: Socket): Promise<void> {
    socket.on('error', () => undefined)
    try {
      const { fd } = await this.#board
      if (!this.#server.listening) throw new Error('the seat is left')
      socket.write(`${process.pid} ${fd}\n${this.#hasTold ? '!' : ''}`)
      this.#listeners.add(socket)
      socket.once('close', () => this.#listeners.delete(socket))
    } catch {
      socket.destroy()
    }
  }
}

/** The seat of a process that is told. */
export class ListenerSeat {
  readonly kind = 'listener'
  readonly #socket: Socket
  readonly #board: FileHandle
  #said: string

  private constructor(socket: Socket, board: FileHandle, said: string) {
    this.#socket = socket
    this.#board = board
    this.#said = said
  }

  static async take(
    name: string,
    uid: number,
    signal?: AbortSignal,
  ): Promise<ListenerSeat | 'free' | 'silent' | 'stranger'> {
    const socket = connect(name)
    socket.on('error', () => undefined)
    const greeting = await greetingOf(socket, signal)
    if (greeting === '') return 'free'
    const [, pid = '', fd = '', rest = ''] = /^(\d+) (\d+)\n([.!]*)$/.exec(greeting) ?? []
    const board = pid === '' ? undefined : await openAsOwn(`/proc/${pid}/fd/${fd}`, uid)
    if (board === undefined) {
      socket.destroy()
      return greeting === 'silent' ? 'silent' : 'stranger'
    }
    // What is done for the first time takes longest: better now than when many are told at once.
    await read(board)
    return new ListenerSeat(socket, board, rest)
  }

  /**
   * What the looker has found; `left` where it went without a word, `silent` where it is not heard any more.
   *
   * @throws the signal's reason.
   */
  async told(signal: AbortSignal): Promise<{ readonly text: string } | 'left' | 'silent'> {
    signal.throwIfAborted()
    const socket = this.#socket
    const end = await new Promise<'told' | 'left' | 'silent'>((resolve) => {
      const take = (said: string): void => {
        this.#said = said
        if (said.includes('!')) resolve('told')
      }
      take(this.#said)
      socket.on('data', (chunk: Buffer) => {
        take(chunk.toString('latin1'))
      })
      socket.resume()
      socket.setTimeout(longestSilence, () => {
        resolve('silent')
      })
      socket.once('close', () => {
        resolve('left')
      })
      if (socket.destroyed) resolve('left')
      signal.addEventListener('abort', () => {
        resolve('left')
      })
    })
    signal.throwIfAborted()
    return end === 'told' ? { text: await read(this.#board) } : end
  }

  async leave(): Promise<void> {
    this.#socket.destroy()
    await this.#board.close()
  }
}

/** What the one in the seat says first: nothing where it closes the connection, `silent` where it does not say it in time. */
async function greetingOf(socket: Socket, signal: AbortSignal | undefined): Promise<string> {
  const timer = AbortSignal.any([AbortSignal.timeout(greetingTimeout), ...(signal === undefined ? [] : [signal])])
  const greeting = await new Promise<string>((resolve) => {
    let text = ''
    timer.addEventListener('abort', () => {
      resolve('silent')
    })
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1', 0, longestGreeting + 1)
      if (!text.includes('\n') && text.length <= longestGreeting) return
      socket.pause()
      resolve(text)
    })
    socket.once('close', () => {
      resolve('')
    })
  })
  socket.removeAllListeners('data')
  return greeting
}

/** Linux's O_TMPFILE, which has no name in Node: a file that never has one. */
const { O_RDWR, O_DIRECTORY } = constants
const nameless = O_RDWR | O_DIRECTORY | 0o20000000

/** A file without a name: it goes with its last descriptor. */
async function openBoard(): Promise<FileHandle> {
  try {
    return await open(tmpdir(), nameless, 0o600)
  } catch {
    // Not every filesystem can.
  }
  const path = join(tmpdir(), `.dask-hpc-runner.${randomBytes(9).toString('hex')}`)
  const board = await open(path, 'wx+', 0o600)
  await unlink(path)
  return board
}

async function read(board: FileHandle): Promise<string> {
  const { size } = await board.stat()
  const { buffer, bytesRead } = await board.read(Buffer.alloc(size), 0, size, 0)
  return buffer.toString('utf8', 0, bytesRead)
}

async function openAsOwn(path: string, uid: number): Promise<FileHandle | undefined> {
  let board: FileHandle | undefined
  try {
    board = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const { uid: owner, mode } = await board.stat()
    if (owner === uid && (mode & 0o177777) === 0o100600) return board
  } catch {
    // Another user's, or a process of another container.
  }
  await board?.close()
  return undefined
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
