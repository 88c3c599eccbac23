import { hostOf, isLoopback } from '../util/network.ts'

/**
 * Who runs a cluster and where rank 0 of it answers. Stands in the run's directory beside a scheduler
 * file and, with more, in the file itself.
 */
export interface Owner {
  /** Version of this record's form. */
  version: 1
  run_key: string
  /** Drawn anew by each start of rank 0. */
  nonce: string
  host: string
  pid: number
  /** Where the control channel listens. */
  control: Control
  [later: string]: unknown
}

/** Where the control channel of a run listens. */
interface Control {
  /** Addresses of rank 0's host, without port; loopback only in a run of one host. */
  addresses: string[]
  port: number
  /** Another port of rank 0, for heartbeats alone: its own loop runs the user's code. */
  heartbeat_port?: number | undefined
  /** Tells whether two processes share a loopback interface: kernel boot id and network namespace. */
  network: string
  [later: string]: unknown
}

/** What a Dask process runs on, such as `{python: '3.11.2', dask: '2022.12.1', distributed: '2022.12.1'}`. */
export interface DaskVersions {
  python: string
  dask: string
  distributed: string
}

/** Versions in words: `Dask 2022.12.1 (Python 3.11.2)`. Distribution packages' suffixes are no difference. */
export function formatVersions({ python, distributed }: DaskVersions): string {
  return `Dask ${distributed.replace(/\+.*$/, '')} (Python ${python})`
}

/** Our part of the published scheduler file, under the key `dask_hpc_runner`. */
export interface ClusterRecord extends Owner {
  /** Who has read this record proves on the control channel that he knows it. */
  secret: string
  /** Workers that the run starts, over all of its processes. */
  n_workers: number
  /** Rank 0 has made certificates for this run, and gives them to whoever proves that he knows the secret. */
  secure?: boolean | undefined
  /** The run only adds workers to a cluster: it publishes none. */
  adds_workers?: boolean | undefined
  /** When the job ends that the run is a part of, in seconds since 1970, where that was known when the file was published. */
  end_time?: number | undefined
  /** The path below which the dashboard is served, such as `/dask`. */
  dashboard_prefix?: string | undefined
  /** What the scheduler runs on, where this run has started it. */
  versions?: DaskVersions | undefined
}

/** The record for a scheduler at `address`: whoever reaches that reaches rank 0 there. */
export function answersAt(record: ClusterRecord, address: string): ClusterRecord {
  const host = hostOf(address)
  const { control } = record
  if (host === undefined || isLoopback(host)) return record
  return { ...record, control: { ...control, addresses: [...new Set([host, ...control.addresses])] } }
}
