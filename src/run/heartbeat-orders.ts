import type { ClusterRecord } from '../record/cluster-record.ts'

/** What the thread is told that sends the heartbeats of a process whose own loop runs the user's code. */
export interface HeartbeatOrders {
  readonly rank: number
  /** Milliseconds of silence after which somebody counts as lost. */
  readonly lostAfter: number
  /** Milliseconds from the end of the run until an inline client that has not ended is killed. */
  readonly patience: number
  /** Rank 0 listens for the others; others connect to it. */
  readonly record: ClusterRecord
  /** Put before what is said. */
  readonly prefix: string
}
