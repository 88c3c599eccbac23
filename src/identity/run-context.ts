import type { Identity } from './identity.ts'
import type { Logger } from '../logger.ts'
import type { CompleteOptions } from '../options.ts'
import type { Role } from './roles.ts'

/** What a hook of a runner is given before it is known who this process is. */
export interface Context {
  readonly options: CompleteOptions
  readonly logger: Logger
  /** Aborts when this process has to end: its waits end with the reason. */
  readonly signal: AbortSignal
}

/** What is kept of everything that this process and its components say. */
export interface RunLog {
  /** Keeps printable lines of a component; without a `role`, of this process itself. */
  keep(role: Role | undefined, lines: readonly string[]): void
  /** Where the lines of a component of any rank are. */
  pathOf(rank: number, role: string | undefined): string | undefined
}

/** What a hook of a runner is given from then on. */
export interface RunContext extends Context {
  readonly identity: Identity
  /** Roles of every process of the run, by rank. */
  readonly roles: readonly (readonly Role[])[]
  /** Absolute path of the scheduler file, placeholders filled in. */
  readonly schedulerFile: string
  /** @internal */
  readonly log?: RunLog | undefined
}

/** A signal ended this process before its run was under way. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
  readonly signal: NodeJS.Signals

  constructor(signal: NodeJS.Signals) {
    super(`Ended by ${signal}`)
    this.signal = signal
  }
}
