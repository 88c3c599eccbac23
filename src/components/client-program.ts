import { Child } from '../process/child.ts'
import type { Exit } from '../process/exit.ts'
import { endingSignals } from '../util/early-signals.ts'
import type { Reaper } from '../process/reaper.ts'

/** The user's program, with our own standard streams. */
export class ClientProgram {
  readonly #child: Child

  constructor(command: readonly [string, ...string[]], env: NodeJS.ProcessEnv, reaper: Reaper) {
    this.#child = new Child({ command, env, reaper, output: 'inherit' })
  }

  /** How it ended. A program that cannot be started exits 127 (not found) or 126, as in a shell. */
  get exited(): Promise<Exit> {
    return this.#child.exited
  }

  /** Why it could not be started, where that is so. */
  get whyNotStarted(): string | undefined {
    return this.#child.pid === undefined ? this.#child.tail[0] : undefined
  }

  /** Passes a signal on: those that end a run to its whole process group, the others to itself alone. */
  signal(signal: NodeJS.Signals): void {
    this.#child.signal(signal, endingSignals.some((ending) => ending === signal) ? 'group' : 'child')
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Kills it; `why`, unless it did not end in the time it was given. */
  kill(why?: string): void {
    this.#child.kill(why)
  }
}
