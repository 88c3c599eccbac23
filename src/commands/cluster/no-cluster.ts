import type { SchedulerFile } from '../../record/scheduler-file.ts'

/**
 * Why there is no such scheduler; `why` follows on the target's name and a colon.
 *
 * `missing`: no file (yet). `foreign`: no scheduler file, and it never will be. `gone`: nothing
 * listens any more, or another scheduler does. `stranger`: something that is not Dask listens.
 * `unreachable`: no connection came about. `silent`: it listens and does not answer: busy, or frozen.
 */
export interface NoCluster {
  readonly kind: 'missing' | 'foreign' | 'gone' | 'stranger' | 'unreachable' | 'silent'
  readonly why: string
  readonly file?: SchedulerFile
}

/** How to look. */
export interface FindOptions {
  /** Milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal
}
