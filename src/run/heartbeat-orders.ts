import type { ClusterRecord } from '../record/cluster-record.ts'

/** What the thread is told that beats for a process whose own loop runs the user's code. */
export interface PulseOrders {
  readonly rank: number
  /** Milliseconds of silence after which somebody counts as lost. */
  readonly lostAfter: number
  /** Milliseconds from the end of the run until a body that has not ended is killed. */
  readonly patience: number
  /** Process 0 listens for the others; others connect to it. */
  readonly record: ClusterRecord
  /** Put before what is said. */
  readonly prefix: string
}
