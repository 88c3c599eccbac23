import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Duplex, Writable } from 'node:stream'
import { defaults } from '../defaults.ts'
import { settledWithin } from '../util/wait.ts'
import type { Exit } from './exit.ts'
import type { Guardian } from './guardian.ts'
import { forEachLine, Tail } from './output.ts'

/** What to start, and how it is connected to us. */
export interface ChildOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  /** Learns the child's process group. */
  readonly guardian: Guardian
  /** `inherit`: our own standard streams. A function: called with each line of output. */
  readonly output: 'inherit' | ((line: string, stream: 'stdout' | 'stderr') => void)
  /** @default `inherit` with inherited output, else `ignore` */
  readonly stdin?: 'inherit' | 'ignore' | 'pipe'
  /** Open a two-way pipe as file descriptor 3. @default false */
  readonly pipe?: boolean
  /**
   * Start with HUP, INT, TERM, USR1 and USR2 ignored, until the program itself says otherwise.
   * @default false
   */
  readonly shielded?: boolean
}

/** `sh` ignores the signals, and what is ignored stays so in the program that takes its place. */
const shield = ['/bin/sh', '-c', 'trap "" HUP INT TERM USR1 USR2; exec "$@"', 'sh'] as const

/** After the child's end, how long output that its descendants hold open is waited for. In milliseconds. */
const outputTimeout = 500

/** A child process that leads a process group of its own. */
export class Child {
  /** How it ended, once it has; a program that could not be started exits 127 or 126, as in a shell. */
  readonly exited: Promise<Exit>
  /** The pipe on the child's file descriptor 3, where asked for. */
  readonly pipe: Duplex | undefined
  readonly #process: ChildProcess
  readonly #tail = new Tail(defaults.tailLines)
  #ended = false
  #forced = false

  constructor(options: ChildOptions) {
    const [program, ...args] = options.shielded === true ? [...shield, ...options.command] : options.command
    const lines = options.output !== 'inherit'
    this.#process = spawn(program, args, {
      detached: true,
      stdio: [
        options.stdin ?? (lines ? 'ignore' : 'inherit'),
        lines ? 'pipe' : 'inherit',
        lines ? 'pipe' : 'inherit',
        options.pipe === true ? 'pipe' : 'ignore',
      ],
      env: { ...options.env, ...options.guardian.environment },
    })
    if (this.pid !== undefined) options.guardian.addGroup(this.pid)
    if (options.pipe === true) {
      this.pipe = this.#process.stdio[3] as Duplex
      this.pipe.on('error', () => undefined)
    }
    this.#process.stdin?.on('error', () => undefined)
    if (options.output !== 'inherit') {
      const onLine = options.output
      for (const name of ['stdout', 'stderr'] as const) {
        const stream = this.#process[name]
        if (stream === null) continue
        forEachLine(stream, (line) => {
          this.#tail.add(line)
          onLine(line, name)
        })
      }
    }
    this.exited = this.#watch(options)
  }

  /** Undefined where the program could not be started. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Its standard input, where that is a pipe. */
  get stdin(): Writable | null {
    return this.#process.stdin
  }

  /** The last lines that it printed, where its output comes through us. */
  get tail(): readonly string[] {
    return this.#tail.lines
  }

  /** Sends `signal` to the child alone, or to its whole process group. */
  signal(signal: NodeJS.Signals, whom: 'child' | 'group'): void {
    if (this.pid === undefined || this.#ended) return
    try {
      process.kill(whom === 'group' ? -this.pid : this.pid, signal)
    } catch {
      // It has ended in the meantime.
    }
  }

  /** Kills the whole process group. */
  kill(): void {
    this.#forced = true
    this.signal('SIGKILL', 'group')
  }

  /** Asks the child to end by `ask`, and kills its process group where it has not after `grace` milliseconds. */
  async end(ask: () => void, grace: number): Promise<Exit> {
    ask()
    if (!(await settledWithin(this.exited, grace))) this.kill()
    return await this.exited
  }

  /** Does not keep us alive. */
  unref(): void {
    this.#process.unref()
    for (const stream of this.#process.stdio) if (stream instanceof Socket) stream.unref()
  }

  async #watch(options: ChildOptions): Promise<Exit> {
    const exit = await new Promise<Omit<Exit, 'forced'>>((resolve) => {
      this.#process.once('error', (error: NodeJS.ErrnoException) => {
        this.#tail.add(`${options.command[0]}: ${error.message}`)
        resolve({ status: error.code === 'ENOENT' ? 127 : 126, signal: null })
      })
      this.#process.once('exit', (status, signal) => {
        resolve({ status, signal })
      })
    })
    // What it left behind in its group ends with it.
    const forced = this.#forced
    this.signal('SIGKILL', 'group')
    this.#ended = true
    if (this.pid !== undefined) options.guardian.removeGroup(this.pid)
    await settledWithin(this.#outputClosed(), outputTimeout)
    return { ...exit, forced }
  }

  async #outputClosed(): Promise<void> {
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream === null || stream.closed) continue
      await new Promise((resolve) => stream.once('close', resolve))
    }
  }
}
