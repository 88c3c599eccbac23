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
