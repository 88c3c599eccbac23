import type { SchedulerAnswer } from '../dask/verify-scheduler.ts'
import type { Logger } from '../logger.ts'
import type { Owner } from '../record/owner.ts'
import type { SchedulerFile } from '../record/scheduler-file.ts'
import type { LockOptions } from './lock.ts'
import type { RendezvousPaths } from './names.ts'

/** What the control port of an owner says: it answers, it refuses, or nothing comes back. */
export type OwnerAnswer = 'alive' | 'gone' | 'unreachable'
/** Asks an owner whether its run still lives. Ends within seconds. */
export type AskOwner = (owner: Owner) => Promise<OwnerAnswer>
/** Asks who is at the address of a scheduler file. Ends within seconds. */
export type AskScheduler = (file: SchedulerFile) => Promise<SchedulerAnswer>

/** What it takes to judge the claims and files of other runs. */
export interface Judgement extends Pick<LockOptions, 'onLock'> {
  readonly paths: RendezvousPaths
  readonly logger: Logger
  readonly ask: AskOwner
  readonly askScheduler: AskScheduler
  /** Whether the run of that key is over for certain, as an earlier start of a restarted job is. */
  readonly isOver: (runKey: string) => boolean
}

/** The run that held the path before, and how it was found to be over. */
export interface Predecessor {
  readonly owner: Owner
  /** `abandoned`: it could not be asked, but it is over for certain, or its claim is very old. */
  readonly how: 'gone' | 'abandoned'
}
