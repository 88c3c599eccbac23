import type { Duplex, Readable } from 'node:stream'
import { defaults } from '../defaults.ts'
import { settledWithin } from '../util/wait.ts'
import { type Exit, shellStatus, signalStatus } from './exit.ts'
import { type OutOfMemoryWatch, outOfMemoryWatch } from './out-of-memory.ts'
import { LastLines } from './last-lines.ts'
import { forLines, type OnLines } from './output.ts'
import type { Reaper } from './reaper.ts'

/** How long a process may take to end that was killed. In milliseconds. */
export const unkillableMs = 5_000

/** After its end, how long output that its descendants hold open is waited for. In milliseconds. */
const outputTimeout = 500

/** What tells whether the kernel has killed for lack of memory. */
export type MemoryWatch = Pick<OutOfMemoryWatch, 'add' | 'remove' | 'find'>

/** A process that leads a process group of its own and is watched to its end here, whoever has forked it. */
export abstract class Supervised {
  /** How it ended, once it has. */
  abstract readonly exited: Promise<Exit>
  /** A two-way pipe to it, where there is one. */
  abstract readonly pipe: Duplex | undefined
  protected readonly lines = new LastLines(defaults.tailLines)
  /** Whether the kernel has killed for lack of memory. */
  readonly memory: MemoryWatch
  #ended = false
  #forced = false
  #why: string | undefined

  /** @param memory @default that of this process */
  constructor(memory: MemoryWatch = outOfMemoryWatch) {
    this.memory = memory
  }

  /** Undefined where it could not be started, or is not there yet. */
  abstract get pid(): number | undefined

  /** Does not keep us alive. */
  abstract unref(): void

  /** The last lines that it printed and that tell why it has ended, where its output comes through us. */
  get tail(): readonly string[] {
    return this.lines.lines
  }

  /** Sends `signal` to the process alone, or to its whole process group. */
  signal(signal: NodeJS.Signals, whom: 'child' | 'group'): void {
    if (this.pid === undefined || this.#ended) return
    try {
      process.kill(whom === 'group' ? -this.pid : this.pid, signal)
    } catch {
      // It has ended in the meantime.
    }
  }

  /** Kills the whole process group; `why`, unless it did not end in the time it was given. */
  kill(why?: string): void {
    this.#forced = true
    this.#why ??= why
    this.signal('SIGKILL', 'group')
  }

  /** Asks the process to end by `ask`, and kills its group where it has not after `grace` milliseconds. */
  async end(ask: () => void, grace: number): Promise<Exit> {
    ask()
    if (await settledWithin(this.exited, grace)) return await this.exited
    this.kill()
    // One that waits for a filesystem that hangs may not end by that either. (And one that is unref'ed does not keep us here.)
    if (await settledWithin(this.exited, unkillableMs)) return await this.exited
    return { status: null, signal: 'SIGKILL', forced: true, why: 'it does not end, though it was killed' }
  }

  /** Hands on the lines of its output. Resolves when that has closed, and its last line was given. */
  protected async passLines(
    streams: Readonly<Record<'stdout' | 'stderr', Readable>>,
    onLines: OnLines,
    isExact = false,
  ): Promise<void> {
    const closed = (['stdout', 'stderr'] as const).map(async (name) => {
      const give = (lines: readonly string[]): Promise<void> | undefined => {
        this.lines.add(lines)
        return onLines(lines, name)
      }
      forLines(streams[name], give, isExact)
      await new Promise((resolve) => streams[name].once('close', resolve))
    })
    await Promise.all(closed)
  }

  /** Its exit, once it has `ended`, and its `output` has closed as far as that is waited for. */
  protected async watch(ended: Promise<Omit<Exit, 'forced'>>, output: Promise<void>, reaper: Reaper): Promise<Exit> {
    const explained = this.#explain(this.#finish(await ended))
    if (this.pid !== undefined) reaper.removeGroup(this.pid)
    await settledWithin(output, outputTimeout)
    return await explained
  }

  /** Whether {@link Supervised.kill} was called. */
  protected get forced(): boolean {
    return this.#forced
  }

  /** It has ended: so does what it left behind in its group. Gives its exit with what is known of it here. */
  #finish(exit: Omit<Exit, 'forced'>): Exit {
    const [forced, why] = [this.#forced, this.#why]
    this.signal('SIGKILL', 'group')
    this.#ended = true
    return { ...exit, forced, ...(why === undefined ? {} : { why }) }
  }

  /** Its exit, with what the kernel has to do with that: whoever ends by KILL, or tells of one that did, may have been out of memory. */
  async #explain(exit: Exit): Promise<Exit> {
    if (exit.forced || shellStatus(exit) !== signalStatus('SIGKILL')) return exit
    const outOfMemory = await this.memory.find()
    return outOfMemory === undefined ? exit : { ...exit, outOfMemory }
  }
}
