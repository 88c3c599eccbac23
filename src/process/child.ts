import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Duplex, Writable } from 'node:stream'
import { errnoOf } from '../errors.ts'
import type { Exit } from './exit.ts'
import type { Reaper } from './reaper.ts'
import type { OnLines } from './output.ts'
import { dropStreams, formatStartError } from './start-error.ts'
import { type MemoryWatch, Supervised } from './supervised.ts'

/** What to start, and how it is connected to us. */
export interface ChildOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  /** Learns the child's process group. */
  readonly reaper: Reaper
  /** `inherit`: our own standard streams. A function: called with the lines of output, as they come together. */
  readonly output: 'inherit' | OnLines
  /** Whether its lines, put together, are the bytes that it has written: see `forLines`. @default false */
  readonly isExact?: boolean
  /** Whether it ends by itself, given time, when we are gone. @default false */
  readonly endsWithUs?: boolean
  /** @default `inherit` with inherited output, else `ignore` */
  readonly stdin?: 'inherit' | 'ignore' | 'pipe'
  /** Open a two-way pipe as file descriptor 3. @default false */
  readonly pipe?: boolean
  /** A file descriptor of ours that the child gets as its number 4. @default none */
  readonly passOn?: number | undefined
  /** How many two-way pipes to open as file descriptors 4 and following, beside no `passOn`. @default 0 */
  readonly channels?: number
  /**
   * Start with HUP, INT, TERM, USR1 and USR2 ignored, until the program itself says otherwise.
   * @default false
   */
  readonly shielded?: boolean
  /** @default that of this process */
  readonly memory?: MemoryWatch
}

/** `sh` ignores the signals, and what is ignored stays so in the program that takes its place. */
const shield = ['/bin/sh', '-c', 'trap "" HUP INT TERM USR1 USR2; exec "$@"', 'sh'] as const

/** The file descriptor of a child's first channel. */
export const firstChannel = 4

/** A child process that leads a process group of its own. */
export class Child extends Supervised {
  /** How it ended, once it has; a program that could not be started exits 127 or 126, as in a shell. */
  readonly exited: Promise<Exit>
  /** The pipe on the child's file descriptor 3, where asked for. */
  readonly pipe: Duplex | undefined
  /** The pipes that were asked for as channels. */
  readonly channels: readonly Duplex[] = []
  readonly #process: ChildProcess | undefined

  constructor(options: ChildOptions) {
    super(options.memory)
    const [program, ...args] = options.shielded === true ? [...shield, ...options.command] : options.command
    const lines = options.output !== 'inherit'
    let child: ChildProcess
    try {
      child = spawn(program, args, {
        detached: true,
        stdio: [
          options.stdin ?? (lines ? 'ignore' : 'inherit'),
          lines ? 'pipe' : 'inherit',
          lines ? 'pipe' : 'inherit',
          options.pipe === true ? 'pipe' : 'ignore',
          ...(options.passOn === undefined ? [] : [options.passOn]),
          ...Array.from({ length: options.channels ?? 0 }, () => 'pipe' as const),
        ],
        env: { ...options.env, ...options.reaper.environment },
      })
    } catch (error) {
      // Some reasons, such as ENOTDIR and E2BIG, are thrown by Node; the others come as an event.
      this.exited = Promise.resolve(this.#notStarted(program, error))
      return
    }
    if (child.pid === undefined) {
      dropStreams(child)
      this.exited = new Promise((resolve) => {
        child.once('error', (error) => {
          resolve(this.#notStarted(program, error))
        })
      })
      return
    }
    this.#process = child
    this.memory.add()
    if (this.pid !== undefined) options.reaper.addGroup(this.pid, options.endsWithUs === true ? 'gently' : 'at once')
    if (options.pipe === true) {
      this.pipe = child.stdio[3] as Duplex
      this.pipe.on('error', () => undefined)
    }
    if (options.channels !== undefined) this.channels = child.stdio.slice(firstChannel) as unknown as Duplex[]
    child.stdin?.on('error', () => undefined)
    const { stdout, stderr } = child
    const hasOutput = options.output !== 'inherit' && stdout !== null && stderr !== null
    const output = hasOutput ? this.passLines({ stdout, stderr }, options.output, options.isExact) : Promise.resolve()
    this.exited = this.watch(exitOf(child), output, options.reaper).finally(() => {
      this.memory.remove()
    })
  }

  /** Undefined where the program could not be started. */
  override get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Its standard input, where that is a pipe. */
  get stdin(): Writable | null {
    return this.#process?.stdin ?? null
  }

  /** Does not keep us alive. */
  override unref(): void {
    this.#process?.unref()
    for (const stream of this.#process?.stdio ?? []) if (stream instanceof Socket) stream.unref()
  }

  #notStarted(program: string, error: unknown): Exit {
    this.lines.add([`${program}: ${formatStartError(error)}`])
    return { status: errnoOf(error) === 'ENOENT' ? 127 : 126, signal: null, forced: false }
  }
}

async function exitOf(child: ChildProcess): Promise<Omit<Exit, 'forced'>> {
  return await new Promise((resolve) => {
    // Such as a signal that could not be sent.
    child.on('error', () => undefined)
    child.once('exit', (status, signal) => {
      resolve({ status, signal })
    })
  })
}
