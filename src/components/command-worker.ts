import { RunnerError } from '../errors.ts'
import { Child, type ChildOptions } from '../process/child.ts'
import { ChildOwner } from '../process/child-owner.ts'
import { type Exit, formatExit } from '../process/exit.ts'
import type { OnLines } from '../process/output.ts'
import type { DaskVersions } from '../record/cluster-record.ts'

/** A worker that a command has brought. */
export interface WorkerOfCommand {
  /** Such as `tcp://10.0.0.3:41234`. */
  readonly address: string
  /** Where it has one of ours. */
  readonly name?: string
  /** Undefined where they are not known. */
  readonly versions?: DaskVersions | undefined
}

/** What a {@link CommandWorker} is started with. */
export interface CommandWorkerOptions extends Pick<ChildOptions, 'command' | 'env' | 'reaper'> {
  /** Name for messages, such as `worker 2`. */
  readonly name: string
  readonly onLines: OnLines
  /** Resolves when the scheduler has its workers. */
  readonly registered: (signal: AbortSignal) => Promise<readonly WorkerOfCommand[]>
}

/** A command of the user's in place of a Dask worker: it leads a process group of its own, and ends by TERM. */
export class CommandWorker extends ChildOwner<Child> {
  readonly name: string
  /** Resolves once the scheduler has its workers. Rejects with RunnerError where it ends before that. */
  readonly started: Promise<readonly WorkerOfCommand[]>

  constructor({ name, command, env, reaper, onLines, registered }: CommandWorkerOptions) {
    super(new Child({ command, env, reaper, output: onLines }))
    this.name = name
    const over = new AbortController()
    const early = this.exited.then((exit): never => {
      over.abort(new Error('it has ended'))
      throw new RunnerError(`Cannot start ${name}: its command ${formatExit(exit)}`, {
        code: 'ERR_COMPONENT_LOST',
        lastLines: this.tail,
      })
    })
    this.started = Promise.race([registered(over.signal), early])
    this.started.catch(() => undefined)
    early.catch(() => undefined)
  }

  /** Asks it to close, as Dask's own commands do on TERM, and kills its group where it has not after `grace` milliseconds. */
  async stop(grace: number): Promise<Exit> {
    return await this.child.end(() => {
      this.child.signal('SIGTERM', 'child')
    }, grace)
  }
}
