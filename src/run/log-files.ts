import { join } from 'node:path'
import type { Role } from '../identity/roles.ts'
import type { RunLog } from '../identity/run-context.ts'
import { Child } from '../process/child.ts'
import type { Reaper } from '../process/reaper.ts'
import { forOwnProcess } from '../util/own-process.ts'
import { ownProgram } from '../util/own-program.ts'
import { settledWithin } from '../util/wait.ts'
import { formatFrame } from './log-frame.ts'
import type { LogOrders } from './log-program.ts'

/** What waits to be taken by a filesystem that is slow, at most, in bytes: more is left out. */
const longestQueue = 8_000_000

/** How long the filesystem may take for what is left at the end. In milliseconds. */
const closingMs = 2_000

/** What the log of a process of the run needs to know. */
export interface LogFilesOptions {
  /** Absolute path. */
  readonly directory: string
  /** Of each file with the one before it, in bytes. */
  readonly limit: number
  readonly rank: number
  /** The roles of this process: one file each. */
  readonly roles: readonly Role[]
  /** The roles of each rank. */
  readonly rolesOf: readonly (readonly Role[])[]
  readonly env: NodeJS.ProcessEnv
  readonly reaper: Reaper
  /** Takes a sentence of what goes wrong, once. */
  readonly warn: (message: string) => void
}

/** The log files of this process, which another one writes: see log-program.ts. What cannot be kept ends and delays nothing. */
export class LogFiles implements RunLog {
  readonly #options: LogFilesOptions
  readonly #writer: Child
  #queue: Buffer[] = []
  #leftOut = 0
  #isOver = false
  #hasWarned = false

  constructor(options: LogFilesOptions) {
    const { directory, limit, rank, roles, env, reaper } = options
    this.#options = options
    this.#writer = new Child({
      command: [process.execPath, ownProgram(), 'log-writer'],
      env: forOwnProcess(env),
      reaper,
      output: ([line = '']) => {
        this.#warn(line)
        return undefined
      },
      stdin: 'pipe',
      // It ends with its standard input, and writes what is left before.
      endsWithUs: true,
    })
    this.#writer.unref()
    void this.#writer.exited.then(() => {
      if (!this.#isOver) this.#warn('the process that writes it has ended')
      this.#isOver = true
    })
    const orders: LogOrders = { directory, limit, files: roles.map((role) => logName(rank, role)) }
    this.#writer.stdin?.write(`${JSON.stringify(orders)}\n`)
  }

  keep(role: Role | undefined, lines: readonly string[]): void {
    if (this.#isOver) return
    const file = Math.max(0, role === undefined ? 0 : this.#options.roles.indexOf(role))
    const waiting = this.#writer.stdin?.writableLength ?? 0
    if (waiting > longestQueue) {
      this.#leftOut += lines.length
      this.#warn('its filesystem is too slow for all lines, and some are left out')
      return
    }
    const time = new Date().toISOString()
    const note = this.#leftOut > 0 ? `${time} ${this.#leftOut} lines are left out here\n` : ''
    this.#leftOut = 0
    const text = lines.map((line) => `${time} ${line}\n`).join('')
    if (this.#queue.length === 0) setImmediate(this.#send)
    this.#queue.push(formatFrame({ file, lines: Buffer.from(`${note}${text}`) }))
  }

  pathOf(rank: number, role: string | undefined): string | undefined {
    const roles = this.#options.rolesOf[rank] ?? []
    const of = roles.find((each) => role?.split(' ')[0] === each) ?? roles[0]
    return of === undefined ? undefined : join(this.#options.directory, logName(rank, of))
  }

  /** Writes what is left, if the filesystem takes it. May be called twice. */
  async close(): Promise<void> {
    this.#send()
    this.#isOver = true
    this.#writer.stdin?.end()
    if (await settledWithin(this.#writer.exited, closingMs)) return
    this.#warn('its filesystem does not answer')
    this.#writer.kill()
  }

  readonly #send = (): void => {
    const frames = this.#queue
    this.#queue = []
    if (frames.length > 0) this.#writer.stdin?.write(Buffer.concat(frames))
  }

  #warn(why: string): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#options.warn(`Cannot keep the log in "${this.#options.directory}": ${why}; the run goes on`)
  }
}

/** `rank-3-worker.log` */
function logName(rank: number, role: Role): string {
  return `rank-${rank}-${role}.log`
}
