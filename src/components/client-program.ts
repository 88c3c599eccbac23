import { Child } from '../process/child.ts'
import { ChildOwner } from '../process/child-owner.ts'
import { followTerminal } from '../process/follow-terminal.ts'
import { endingSignals } from '../util/early-signals.ts'
import { isAtTerminal } from '../util/terminal.ts'
import type { Reaper } from '../process/reaper.ts'

/** The user's program, with our own standard streams. One that cannot be started exits 127 (not found) or 126, as in a shell. */
export class ClientProgram extends ChildOwner<Child> {
  constructor(command: readonly [string, ...string[]], env: NodeJS.ProcessEnv, reaper: Reaper) {
    super(new Child({ command, env, reaper, output: 'inherit' }))
    // Slurm, too, sends TSTP before it suspends a job, to each process: a program that handles it has its time then.
    if (isAtTerminal()) followTerminal(this.child)
  }

  /** Why it could not be started, where that is so. */
  get whyNotStarted(): string | undefined {
    return this.pid === undefined ? this.tail[0] : undefined
  }

  /** Passes a signal on: those that end a run to its whole process group, the others to itself alone. */
  signal(signal: NodeJS.Signals): void {
    this.child.signal(signal, endingSignals.some((ending) => ending === signal) ? 'group' : 'child')
  }
}
