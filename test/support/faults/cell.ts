import type { Bound } from './limits.ts'

/** A component, or what supervises one, on the process of the rank that has it. */
export type Actor = 'scheduler' | 'client' | 'worker' | 'supervisor' | 'reaper'

/** How a run is started. */
export interface Launch {
  /** Tasks, one on each host. @default 4 */
  readonly tasks?: number
  /** Flags of all processes. */
  readonly flags?: readonly string[]
  /** Flags of one rank alone. */
  readonly flagsOf?: Readonly<Record<number, readonly string[]>>
  /** Arguments of fixtures/faults/client.py. */
  readonly client?: readonly string[]
  /** What runs instead of that. */
  readonly command?: readonly string[]
  /** What a rank's host lacks: Dask; a Python that bears to import it; Node. Or it is stopped before Node starts. */
  readonly broken?: Readonly<Record<number, 'no dask' | 'crashing dask' | 'no node' | 'stopped'>>
  /** Something listens on these ports of a rank's host already. */
  readonly taken?: { readonly rank: number; readonly port: number }
  /** What stands at the scheduler file's path. */
  readonly file?: 'empty' | 'truncated' | 'dead address' | 'something else listens' | 'another scheduler'
  /** The client is the body of fixtures/faults/spin.ts, which spins for so many seconds. */
  readonly spin?: number
}

/**
 * When the fault comes:
 * - `at the start`: it is there before the run is
 * - `before publication`: the scheduler is starting, the others are at the gate
 * - `before it listens`: the scheduler's port is bound, and the client program runs; the scheduler still imports Dask
 * - `while gating`: published; rank 3 has not come yet, the client program has computed
 * - `while running`: everybody has come, and the client program has computed
 * - `while ending`: the client program has ended, the workers are closing
 * - `in its grace`: TERM has come, and the client program goes on
 */
export type Moment =
  | 'at the start'
  | 'before it listens'
  | 'before publication'
  | 'while gating'
  | 'while running'
  | 'while ending'
  | 'in its grace'

/** What is done to a run. */
export type Strike =
  | { readonly kind: 'none' }
  | { readonly kind: 'signal'; readonly actor: Actor; readonly rank: number; readonly signal: NodeJS.Signals }
  | { readonly kind: 'kill host' | 'freeze host' | 'cut link'; readonly rank: number }
  /** The link is mended, or the job resumed, after so many times the time that counts as lost. */
  | { readonly kind: 'cut link for a while'; readonly rank: number; readonly times: number }
  | { readonly kind: 'suspend job'; readonly times: number }
  /** A program that is no part of the run tries to listen on the scheduler's port, and is refused. */
  | { readonly kind: 'take port'; readonly reuse: boolean }
  /** A file is made that somebody of the run waits for; nothing else is let go. */
  | { readonly kind: 'release'; readonly file: string }
  /** Somebody removes the run's files, and another run takes their path. */
  | { readonly kind: 'new run'; readonly file: string }

/** A cell of the fault matrix. */
export interface Cell {
  /** Such as `scheduler-sigkill-running`. */
  readonly name: string
  /** Who, what and when, for people. */
  readonly actor: string
  readonly fault: string
  readonly moment: Moment
  readonly launch?: Launch
  readonly strike: Strike
  /** The cell wants hosts that no other cell uses. @default false */
  readonly ownHosts?: boolean
  /** What the program says that has noticed the fault and goes on. Such a run is then let go to its end. */
  readonly notices?: RegExp
  /** The run is not to end by the fault. @default false */
  readonly survives?: boolean
  /** For so many times the time that counts as lost, a run that survives is watched before it is let go. @default 0 */
  readonly watched?: number
  /** From the fault to the last process; for a run that survives, from its release. */
  readonly bound: Bound
  /** Something stays that only the workload manager can end: `srun` has its own, longer bound. @default false */
  readonly lastResort?: boolean
  /** Of `srun`. */
  readonly status: readonly number[] | 'failure' | 'any'
  /**
   * The sentence that names the cause. `whatever`: the run's end was decided before the fault.
   * @default none is expected, and no error may be told
   */
  readonly says?: RegExp | 'whatever'
  /** The rank whose output ends with that sentence, of all of them alone. @default 0 */
  readonly teller?: number | 'any'
  /** Why the sentence may be told more than once. @default it may not */
  readonly toldAgain?: string
  /** What the output must contain besides. */
  readonly prints?: RegExp
  /** No traceback, warning or error may be printed. @default false */
  readonly clean?: boolean
  /** Files that may be left, as documented; `*` stands for anything. */
  readonly leaves?: readonly string[]
  /** One of those that `npm test` runs with short bounds, one for each mechanism. @default false */
  readonly chosen?: boolean
  /** One of those that `npm test` runs with the bounds that users have, one for each kind. @default false */
  readonly atDefaults?: boolean
}
