import type { WaitOptions } from './bounded.ts'

/** Which workers a call concerns. */
export interface WorkersOptions extends WaitOptions {
  /** Names of workers, or their addresses. @default all */
  readonly workers?: readonly (number | string)[] | undefined
}

/** Which workers leave. */
export interface RetireOptions extends WorkersOptions {
  readonly workers: readonly (number | string)[]
  /** End their processes, too. @default true */
  readonly closeWorkers?: boolean | undefined
}

/** How workers are restarted. */
export interface RestartOptions extends WaitOptions {
  /** Wait until all of them are there again. @default true */
  readonly waitForWorkers?: boolean | undefined
}

/** How much of a log. */
export interface LogOptions extends WaitOptions {
  /** The last so many lines. @default all that are kept */
  readonly n?: number | undefined
}

/** Whose logs. */
export interface WorkerLogsOptions extends LogOptions, WorkersOptions {
  /** The logs of their nannies. @default false */
  readonly nanny?: boolean | undefined
}

/** How a dataset is published. */
export interface PublishOptions extends WaitOptions {
  /** In place of one of that name. @default false */
  readonly override?: boolean | undefined
}

/** Lines of a log, the newest last, as pairs of a level, such as `INFO`, and a text. */
export type Logs = readonly (readonly [level: string, text: string])[]

/** What a part of the cluster runs on. */
export interface ComponentVersions {
  /** Of the system, such as `python` and `OS`. */
  readonly host: Readonly<Record<string, unknown>>
  /** By package, such as `dask` and `distributed`; null where it is not there. */
  readonly packages: Readonly<Record<string, string | null>>
  readonly [key: string]: unknown
}

/** What each part of the cluster runs on. */
export interface Versions {
  readonly scheduler: ComponentVersions
  /** By their addresses. */
  readonly workers: Readonly<Record<string, ComponentVersions>>
  /** The helper process of this client. */
  readonly client: ComponentVersions
}

/** A worker, in Dask's words; there is more than is named here. */
export interface WorkerInfo {
  readonly name: string | number
  readonly host: string
  readonly nthreads: number
  /** In bytes; 0 for no limit. */
  readonly memory_limit: number
  readonly local_directory: string
  readonly resources?: Readonly<Record<string, number>>
  readonly [key: string]: unknown
}

/** What a scheduler says of itself, in Dask's words; there is more than is named here. */
export interface SchedulerInfo {
  readonly id: string
  readonly address: string
  /** Workers by address. */
  readonly workers: Readonly<Record<string, WorkerInfo>>
  readonly [key: string]: unknown
}
