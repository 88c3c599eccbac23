/**
 * Who runs a cluster and where rank 0 of it answers. Stands in the claim beside a scheduler file
 * and, with more, in the file itself.
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
export interface Control {
  /** Addresses of rank 0's host, without port; loopback only in a run of one host. */
  addresses: string[]
  port: number
  /** Another port of rank 0, for heartbeats alone: its own loop runs the user's code. */
  heartbeat_port?: number | undefined
  /** Tells whether two processes share a loopback interface: kernel boot id and network namespace. */
  network: string
  [later: string]: unknown
}
